import { EspalierError } from "../tensor/errors.ts";

/** Throws `ARGUMENT` for a size that is not a positive whole number. */
export function positiveWhole(layer: string, option: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new EspalierError("ARGUMENT", {
    thing: `${layer}, ${option}`,
    rule: "must be a positive whole number",
    received: value,
  });
}
