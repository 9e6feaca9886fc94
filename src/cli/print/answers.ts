import type { NumberTarget, Target } from "../../data/preprocessing/index.ts";
import { type LossOf, lossOf } from "../../training/losses/index.ts";

/** A model's answer for one row. */
export interface Answer {
  /** The class, or the number in the units of the data. */
  readonly prediction: string | number;
  /** The probability of each class, in order. */
  readonly probabilities?: readonly number[];
}

/** What rows' scores mean: the most probable class, or a number. `target`, if known, names classes and units. */
export function answersOf(
  scores: readonly (readonly number[])[],
  loss: LossOf,
  target: Target | undefined,
): readonly Answer[] {
  const { predicts } = lossOf(loss);
  if (predicts === "number") {
    const { mean, deviation } = target?.kind === "number" ? target : unscaled;
    return scores.map(([score = Number.NaN]) => ({ prediction: score * deviation + mean }));
  }
  const classes = classesOf(scores[0]?.length ?? 0, loss, target);
  return scores.map((row) => {
    const probabilities = predicts === "side" ? sides(row) : softmax(row);
    const best = probabilities.reduce(
      (most, value, at) => (value > (probabilities[most] ?? 0) ? at : most),
      0,
    );
    return { prediction: classes[best] ?? String(best), probabilities };
  });
}

/** Names of the classes that `outputs` scores distinguish; their numbers if they have no names. */
export function classesOf(outputs: number, loss: LossOf, target: Target | undefined): readonly string[] {
  if (target?.kind === "class") return target.classes;
  return Array.from({ length: lossOf(loss).predicts === "side" ? 2 : outputs }, (_, at) => String(at));
}

const unscaled: Pick<NumberTarget, "mean" | "deviation"> = { mean: 0, deviation: 1 };

function softmax(logits: readonly number[]): readonly number[] {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** The probabilities of classes 0 and 1 for a single logit. */
function sides([logit = Number.NaN]: readonly number[]): readonly number[] {
  const one = 1 / (1 + Math.exp(-logit));
  return [1 - one, one];
}

/** How far predicted numbers are from the true ones, in the units of the data. */
export function regressionScores(predicted: readonly number[], actual: readonly number[]) {
  const count = actual.length;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const errors = predicted.map((value, at) => value - (actual[at] as number));
  const mean = sum(actual) / count;
  const squares = sum(errors.map((error) => error ** 2));
  const spread = sum(actual.map((value) => (value - mean) ** 2));
  return {
    rmse: Math.sqrt(squares / count),
    mae: sum(errors.map(Math.abs)) / count,
    /** Undefined if all targets are the same. */
    r2: spread > 0 ? 1 - squares / spread : undefined,
  };
}

/** Rows by true class, columns by predicted class. */
export function confusionOf(
  predicted: readonly number[],
  actual: readonly number[],
  classes: number,
): readonly (readonly number[])[] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  predicted.forEach((guess, at) => {
    const row = matrix[actual[at] as number];
    if (row !== undefined) row[guess] = (row[guess] ?? 0) + 1;
  });
  return matrix;
}
