import { unknownName } from "../../tensor/unknown-name.ts";
import type { PlainOptions } from "../options/option-rules.ts";
import { binaryCrossEntropy } from "./binary-cross-entropy.ts";
import { crossEntropy } from "./cross-entropy.ts";
import { focal } from "./focal.ts";
import { huber } from "./huber.ts";
import type { Loss } from "./loss.ts";
import { meanAbsoluteError } from "./mean-absolute-error.ts";
import { meanSquaredError } from "./mean-squared-error.ts";
import { tokenCrossEntropy } from "./token-cross-entropy.ts";

/** The one table of losses. */
export const losses = {
  crossEntropy,
  tokenCrossEntropy,
  binaryCrossEntropy,
  meanSquaredError,
  meanAbsoluteError,
  huber,
  focal,
} as const;

export type LossName = keyof typeof losses;

/** The loss of a task that names none. */
export const defaultLoss: LossName = "crossEntropy";

/** A loss by name, or as a record: `losses.huber({ delta: 2 })`, or one of your own. */
export type LossOf = LossName | Loss;

/** A loss, or the name of a scalar output that the model already computes from its own inputs. */
export type LossChoice = LossOf | { readonly output: string };

/** Whether the model computes its loss itself. */
export function isInModel(loss: LossChoice): loss is { readonly output: string } {
  return typeof loss === "object" && "output" in loss;
}

/** The loss of a name or record. Throws `ARGUMENT`, listing the known losses. */
export function lossOf(choice: LossOf): Loss {
  return typeof choice === "string" ? lossNamed(choice, {}) : choice;
}

/** Makes a loss again from what a checkpoint or a command line says. Throws `ARGUMENT`. */
export function lossNamed(name: string, options: PlainOptions): Loss {
  if (Object.hasOwn(losses, name)) return (losses[name as LossName] as (options: object) => Loss)(options);
  throw unknownName(
    "ARGUMENT",
    "loss",
    name,
    Object.keys(losses),
    'Or { output: "name" } for a loss in the graph, or a record of your own.',
  );
}
