import type { Feeds } from "../../engine/session.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Compilation } from "../compilation/compilation.ts";

/** A training step whose loss was not finite; the learner has already restored the last good weights. */
export function lossDiverged(step: number, loss: number, learningRate: number): EspalierError {
  return new EspalierError("DIVERGED", {
    thing: `training step ${step + 1}`,
    rule: "the loss must be finite",
    received: String(loss),
    remedy: `The weights of the last finite loss are kept. Lower the learning rate (it was ${learningRate}) or clip gradients.`,
  });
}

/** Weights that the update of step `step` (counted from 1) ruined; `restored` says whether the previous ones are restored. */
export function weightsDiverged(step: number, fault: string, restored: boolean): EspalierError {
  return new EspalierError("DIVERGED", {
    thing: `weights after training step ${step}`,
    rule: "must be finite and give a finite loss",
    received: fault,
    remedy: restored
      ? "The weights of the last finite loss have been restored and can be saved. Lower the learning rate or clip gradients."
      : "Go back to an earlier state or checkpoint. Lower the learning rate or clip gradients.",
  });
}

/** What is wrong with variables, or with their loss on a batch; undefined if all is finite. */
export function faultOf(variables: Feeds, loss = 0): string | undefined {
  if (!Number.isFinite(loss)) return `a loss of ${loss}`;
  for (const [name, { dtype, data }] of Object.entries(variables)) {
    if (dtype !== "float32") continue;
    // A callback would get a boxed number for each weight: megabytes of garbage.
    for (let at = 0; at < data.length; at++) {
      if (!Number.isFinite(data[at])) return `${data[at]} in "${name}"`;
    }
  }
  return undefined;
}

/**
 * Checks weights that no loss has judged yet. If they are ruined, the learner restores those of the last finite loss if
 * it can: `mended` says whether the weights are good now. `masked` is the batch with the masks of training.
 */
export async function judgeWeights(
  { learner, evaluator }: Pick<Compilation, "learner" | "evaluator">,
  batch: Feeds,
  { masked, step }: { readonly masked: Feeds; readonly step: number },
): Promise<{ readonly fault: string | undefined; readonly mended: boolean }> {
  const look = async () =>
    faultOf(learner.variables, (await evaluator.forward(learner.variables, batch)).loss);
  const fault = await look();
  if (fault === undefined) return { fault, mended: false };
  // A step restores the weights only if its training loss is not finite; if it is finite, the step would just continue.
  const { loss } = await learner.gradients(masked);
  if (!Number.isFinite(loss)) await learner.step(masked, step);
  return { fault, mended: (await look()) === undefined };
}
