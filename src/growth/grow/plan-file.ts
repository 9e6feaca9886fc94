import type { Model } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { GrowthStep } from "./grow-model.ts";

const format = "espalier plan";
const version = 1;

/** Growths of one model, one after the other, as a JSON document. */
export interface PlanDocument {
  readonly format: typeof format;
  readonly version: typeof version;
  /** Of the model before the first growth; see {@link fingerprintOf}. */
  readonly model: string;
  readonly growths: readonly GrowthStep[];
}

/** The steps that grew `model`, as a document to store. */
export function planDocument(model: Model, growths: readonly GrowthStep[]): PlanDocument {
  return { format, version, model: fingerprintOf(model), growths };
}

/** Names, types and shapes of a model's parameters, in 64 bits (FNV-1a): enough to notice a mix-up. */
export function fingerprintOf({ graph }: Model): string {
  const lines = [...graph.parameters].map(([name, { dtype, dims }]) => `${name} ${dtype} ${dims.join("x")}`);
  const text = new TextEncoder().encode(lines.sort().join("\n"));
  let hash = 0xcbf29ce484222325n;
  for (const byte of text) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}

/**
 * The growths in a plan's text. Throws `FORMAT` if it is not a plan, or is one for another model. What the growths do
 * is not checked here: `replay` (grow-model.ts) plans them again.
 */
export function readPlan(text: string, model: Model, thing = "plan"): readonly GrowthStep[] {
  const refuse = (rule: string, received: unknown, remedy?: string, cause?: unknown): never => {
    throw new EspalierError("FORMAT", {
      thing,
      rule,
      received,
      cause,
      ...(remedy === undefined ? {} : { remedy }),
    });
  };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    return refuse("must be JSON", text.slice(0, 80), undefined, cause);
  }
  if (!isObject(document) || document.format !== format || document.version !== version)
    return refuse(`must be an ${format} of version ${version}`, text.slice(0, 80));
  const own = fingerprintOf(model);
  if (document.model !== own) {
    return refuse(
      `must be made for this model, whose parameters have the fingerprint ${own}`,
      String(document.model).slice(0, 80),
      "Replay it on the model that it was planned for, before any growth.",
    );
  }
  const { growths } = document;
  if (!Array.isArray(growths) || !growths.every(isStep))
    return refuse(
      "must contain a list of growths, each with its kind, width, sizes and seed",
      text.slice(0, 80),
    );
  return growths;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const kinds: readonly unknown[] = [
  "width",
  "input",
  "output",
  "vocabulary",
  "depth",
] satisfies GrowthStep["kind"][];

/** Whether a step has what is needed to repeat it. */
function isStep(value: unknown): value is GrowthStep {
  if (!isObject(value) || !kinds.includes(value.kind)) return false;
  const { kind, width, strategy, seed, from, to, by, hidden } = value;
  const texts = kind === "depth" ? [width] : [width, strategy];
  const numbers = kind === "depth" ? [by, hidden, seed] : [from, to, seed];
  return (
    texts.every((item) => typeof item === "string") && numbers.every((item) => Number.isSafeInteger(item))
  );
}
