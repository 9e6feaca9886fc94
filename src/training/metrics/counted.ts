import { ignoredLabel } from "../../data/dataset.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";

/** Weights of the classes by number, as PyTorch's `weight=`; undefined: all 1. */
export type ClassWeights = readonly number[] | undefined;

/**
 * A batch's weight in a mean over batches, in examples: the sum of the class weights of its labels that are not ignored,
 * divided by the number of labels per example. It is the number of examples if all labels count equally.
 */
export function countedExamples(labels: Tensor, weights: ClassWeights): number {
  const [examples = 1, ...positions] = labels.dims;
  let sum = 0;
  for (const label of labels.data as Int32Array) {
    if (label !== ignoredLabel) sum += weights === undefined ? 1 : (weights[label] as number);
  }
  return examples === 0 ? 0 : sum / sizeOf(positions);
}

/** A mean over batches, each weighted by what counts in it. */
export class CountedMean {
  #sum = 0;
  #counted = 0;

  add(sum: number, counted: number): void {
    this.#sum += sum;
    this.#counted += counted;
  }

  get counted(): number {
    return this.#counted;
  }

  /** NaN if nothing counts. */
  get value(): number {
    return this.#sum / this.#counted;
  }
}

/** For data in which every label is ignored or of a class of weight 0. */
export function nothingCounts(thing: string): EspalierError {
  return new EspalierError("EMPTY_DATA", {
    thing,
    rule: "needs a label that counts",
    received: `only labels that are ignored (${ignoredLabel}) or whose class has weight 0`,
  });
}

/** Throws `ARGUMENT` unless class weights are finite numbers of at least 0, one for each class. */
export function checkClassWeights(weights: readonly number[], classes: number | string | undefined): void {
  const fits = weights.every((weight) => Number.isFinite(weight) && weight >= 0);
  if (fits && weights.some((weight) => weight > 0) && weights.length === classes) return;
  throw new EspalierError("ARGUMENT", {
    thing: "class weights",
    rule: `must be ${classes} numbers of at least 0, one for each class, and not all 0`,
    received: weights,
  });
}
