import { ignoredLabel } from "../../data/dataset.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { ScoredBatch } from "./metric.ts";

/** One label and the model's prediction for it. */
export interface Guess {
  readonly label: number;
  /** The class with the largest logit, the first of equals. */
  readonly guess: number;
  /** How many classes have a larger logit than the label's. */
  readonly above: number;
}

/**
 * The labels of a batch that count: of logits [batch, ..., classes, ...] or, if each logit is separate, the sides of zero
 * that they and their targets are on (class 1 above, class 0 else). Throws `ARGUMENT` for outputs that are numbers.
 */
export function* guessesOf({ output, target, classAxis, predicts }: ScoredBatch): Iterable<Guess> {
  if (predicts === "number") throw notFor("classes", "a loss of numbers");
  const logits = output.data as Float32Array;
  if (classAxis === undefined) {
    for (let at = 0; at < logits.length; at++) {
      const label = Number(Number(target?.data[at]) > 0.5);
      const guess = Number((logits[at] as number) > 0);
      yield { label, guess, above: Number(label !== guess) };
    }
    return;
  }
  const classes = output.dims[classAxis] ?? 1;
  const step = sizeOf(output.dims.slice(classAxis + 1));
  const count = logits.length / classes;
  for (let at = 0; at < count; at++) {
    const label = Number(target?.data[at]);
    if (label === ignoredLabel) continue;
    const first = Math.floor(at / step) * classes * step + (at % step);
    const own = logits[first + label * step] as number;
    let [guess, above] = [0, 0];
    for (let one = 0; one < classes; one++) {
      const logit = logits[first + one * step] as number;
      if (logit > own) above++;
      if (logit > (logits[first + guess * step] as number)) guess = one;
    }
    yield { label, guess, above };
  }
}

/** How many classes the outputs of a batch distinguish. */
export function classesOf({ output, classAxis }: ScoredBatch): number {
  return classAxis === undefined ? 2 : (output.dims[classAxis] ?? 1);
}

/** For a metric that cannot be computed with a loss's outputs or targets. */
export function notFor(needed: string, received: string): EspalierError {
  return new EspalierError("ARGUMENT", {
    thing: "metrics",
    rule: `must go with the loss: one of them is of ${needed}`,
    received,
    remedy: "Leave `metrics` out to have those that go with the loss.",
  });
}
