import type { Feeds } from "../../engine/session.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Compilation } from "../compilation/compilation.ts";

/** A training step whose loss was not finite; the learner has gone back already. */
export function lossDiverged(step: number, loss: number, learningRate: number): EspalierError {
  return new EspalierError("DIVERGED", {
    thing: `training step ${step + 1}`,
    rule: "the loss must be finite",
    received: String(loss),
    remedy: `The weights of the last finite loss are kept. Lower the learning rate (it was ${learningRate}) or clip gradients.`,
  });
}

/** Weights that the update of step `step` (counted from 1) ruined; `restored` says whether the ones before it are back. */
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

/** What is wrong with variables, or with the loss that they give on a batch; undefined where all is finite. */
export function faultOf(variables: Feeds, loss = 0): string | undefined {
  if (!Number.isFinite(loss)) return `a loss of ${loss}`;
  for (const [name, { dtype, data }] of Object.entries(variables)) {
    if (dtype !== "float32") continue;
    // A callback would be handed a boxed number for each weight: garbage by the megabyte.
    for (let at = 0; at < data.length; at++) {
      if (!Number.isFinite(data[at])) return `${data[at]} in "${name}"`;
    }
  }
  return undefined;
}

/**
 * Looks at weights that no loss has judged yet. Where they are ruined, the learner goes back to those of the last finite
 * loss if it can: `mended` says whether the weights are good now. `masked` is the batch with the masks of training.
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
  // A step goes back by itself where the loss that it trains on is not finite; where it is, it would only go on.
  const { loss } = await learner.gradients(masked);
  if (!Number.isFinite(loss)) await learner.step(masked, step);
  return { fault, mended: (await look()) === undefined };
}
