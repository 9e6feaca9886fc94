import type { Feeds } from "../engine/session.ts";
import { EspalierError } from "../tensor/errors.ts";

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
      ? "The weights of the last finite loss are back, and can be saved. Lower the learning rate or clip gradients."
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
