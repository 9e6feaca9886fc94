import { EspalierError } from "../../tensor/errors.ts";
import { checkOptionNames, type OptionNames } from "../../tensor/known-options.ts";
import { defaultLoss, isInModel, type LossChoice, lossOf } from "../losses/index.ts";
import type { ClassWeights } from "../metrics/counted.ts";
import type { LossTerm, TaskOptions } from "./task-options.ts";

const termNames: OptionNames<LossTerm> = {
  output: true,
  loss: true,
  target: true,
  weight: true,
  classWeights: true,
  name: true,
};

/** A term with its defaults filled in. */
export interface Term {
  readonly name: string;
  /** Undefined: the model's first float32 output. */
  readonly output: string | undefined;
  readonly loss: LossChoice;
  readonly target: string | undefined;
  readonly weight: number;
  readonly classWeights: ClassWeights;
  /** Whether it is the only one. */
  readonly alone: boolean;
}

/**
 * The terms whose sum a task minimizes: those of `losses`, else the only one. Throws `ARGUMENT` for `losses` next to options
 * of a single loss, for an empty list, a term without an output, a name that occurs twice, and weights that make no sense.
 */
export function termsOf(task: TaskOptions): readonly [Term, ...Term[]] {
  const { losses, output, loss = defaultLoss, classWeights } = task;
  if (losses === undefined) {
    const name = output ?? (isInModel(loss) ? loss.output : "output");
    return [{ name, output, loss, target: undefined, weight: 1, classWeights, alone: true }];
  }
  const other = (["output", "loss", "classWeights"] as const).find((key) => task[key] !== undefined);
  if (other !== undefined)
    throw wrong(other, "is for a single loss and excludes `losses`", task[other], "Give each term its own.");
  if (!Array.isArray(losses) || losses.length === 0)
    throw wrong(
      "losses",
      "must be a list of at least one term",
      losses,
      'For example losses: [{ output: "class" }, { output: "box", loss: "meanSquaredError" }].',
    );
  const terms = losses.map((term) => termOf(term, losses.length === 1));
  const twice = terms.find(({ name }, at) => terms.findIndex((term) => term.name === name) < at);
  if (twice !== undefined)
    throw wrong("losses", "must have names that differ", twice.name, "Give each of the terms a `name`.");
  if (terms.every(({ weight }) => weight === 0))
    throw wrong("losses", "need a weight above 0", 0, "Without one, nothing is trained.");
  return terms as readonly Term[] as readonly [Term, ...Term[]];
}

function termOf(term: LossTerm, alone: boolean): Term {
  checkOptionNames("losses", term, termNames);
  const { loss = defaultLoss, target, weight = 1, classWeights } = term;
  const output = term.output ?? (isInModel(loss) ? loss.output : undefined);
  if (output === undefined)
    throw wrong(
      "losses",
      "must each name the output that they are taken of",
      term,
      'For example { output: "class", loss: "crossEntropy" }.',
    );
  if (!isInModel(loss)) lossOf(loss);
  if (!Number.isFinite(weight) || weight < 0)
    throw wrong(
      `weight of the loss of "${output}"`,
      "must be a number of at least 0",
      weight,
      "Leave it out for 1.",
    );
  return { name: term.name ?? output, output, loss, target, weight, classWeights, alone };
}

function wrong(thing: string, rule: string, received: unknown, remedy: string): EspalierError {
  return new EspalierError("ARGUMENT", { thing, rule, received, remedy });
}
