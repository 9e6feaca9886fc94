import { EspalierError } from "../../tensor/errors.ts";
import type { Family } from "../architecture/structure.ts";
import { bert, roberta } from "./bert.ts";
import { distilbert } from "./distilbert.ts";
import { gemma } from "./gemma.ts";
import { gemma2 } from "./gemma2.ts";
import { gemma3 } from "./gemma3.ts";
import { gptNeox } from "./gpt-neox.ts";
import { gpt2 } from "./gpt2.ts";
import { llama } from "./llama.ts";
import { mistral } from "./mistral.ts";
import { mixtral } from "./mixtral.ts";
import { opt } from "./opt.ts";
import { phi3 } from "./phi3.ts";
import { qwen2 } from "./qwen2.ts";
import { qwen2Moe } from "./qwen2-moe.ts";
import { qwen3 } from "./qwen3.ts";
import { qwen3Moe } from "./qwen3-moe.ts";
import { t5 } from "./t5.ts";
import { vit } from "./vit.ts";
import { whisper } from "./whisper.ts";

/** The one table of architectures. */
export const families: readonly Family[] = [
  llama,
  mistral,
  qwen2,
  qwen3,
  mixtral,
  qwen2Moe,
  qwen3Moe,
  gemma,
  gemma2,
  gemma3,
  phi3,
  gpt2,
  gptNeox,
  opt,
  bert,
  roberta,
  distilbert,
  vit,
  t5,
  whisper,
];

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
