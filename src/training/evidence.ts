import type { Feeds } from "../engine/session.ts";
import type { Evidence } from "../growth/diagnose.ts";
import type { Compilation } from "./compilation.ts";

/** One batch seen forwards, and backwards with the dropout masks of training. */
export async function gatherEvidence(
  { learner, evaluator }: Pick<Compilation, "learner" | "evaluator">,
  batch: Feeds,
  masked: Feeds,
): Promise<Evidence> {
  return {
    parameters: new Map(Object.entries(learner.variables)),
    gradients: (await learner.gradients(masked)).gradients,
    activations: await evaluator.activations(learner.variables, batch),
  };
}
