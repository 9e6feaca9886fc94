import { EspalierError } from "../../tensor/errors.ts";
import type { Family } from "../architecture/structure.ts";
import { llama } from "./llama.ts";

/** The one table of architectures. */
export const families: readonly Family[] = [llama];

/** The family of a `model_type`. Throws `CONFIG`, listing those there are. */
export function familyOf(type: string, thing: string): Family {
  const family = families.find((one) => one.type === type);
  if (family !== undefined) return family;
  throw new EspalierError("CONFIG", {
    thing: `${thing}: model_type`,
    rule: "must be one that espalier knows how to build",
    received: type,
    remedy: `Known: ${families.map((one) => one.type).join(", ")}. Any model can be grown as ONNX: espalier grow model.onnx.`,
  });
}
