import { decodeModel, encodeModel, type Limits } from "../../src/formats/onnx/index.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { applyPlan } from "../../src/growth/grow/apply.ts";
import { planGrowth } from "../../src/growth/plan/plan.ts";
import { random } from "../../src/growth/strategies/random.ts";
import { inferTypes } from "../../src/ops/infer.ts";
import { EspalierError } from "../../src/tensor/errors.ts";

/** The stages that a model passed, or the code of the error that stopped it. */
export const stages = ["read", "typed", "searched", "grown"] as const;
export type Stage = (typeof stages)[number];

export interface Outcome {
  /** The last stage that was passed. */
  readonly stage: Stage | "nothing";
  readonly error: EspalierError | undefined;
}

/**
 * Reads, types, looks for widths, grows the first that can. Whatever was read or grown must survive being written and
 * read again. Throws anything that is not an EspalierError, and an Error if an accepted model is not stable.
 */
export function run(bytes: Uint8Array, limits: Partial<Limits> = {}): Outcome {
  let stage: Outcome["stage"] = "nothing";
  try {
    const model = decodeModel(bytes, limits);
    stage = "read";
    survives(model);
    inferTypes(model.graph);
    stage = "typed";
    const width = findWidths(model).find((candidate) => candidate.growable);
    stage = "searched";
    if (width === undefined) return { stage, error: undefined };
    const grown = applyPlan(model, planGrowth(width, { by: 1, strategy: random, seed: 0 }), random);
    survives(grown);
    return { stage: "grown", error: undefined };
  } catch (error) {
    if (error instanceof EspalierError) return { stage, error };
    throw error;
  }
}

function survives(model: Parameters<typeof encodeModel>[0]): void {
  const bytes = encodeModel(model);
  let again: Uint8Array;
  try {
    again = encodeModel(decodeModel(bytes));
  } catch (cause) {
    throw new Error("what was accepted is refused after it was written", { cause });
  }
  if (!Buffer.from(bytes).equals(again))
    throw new Error("what was accepted changes when it is written and read");
}
