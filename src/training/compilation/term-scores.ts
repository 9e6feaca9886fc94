import type { Dataset } from "../../data/dataset.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Batch } from "../graphs/batch.ts";
import { dataFor } from "../graphs/rows.ts";
import type { ProgramTerm } from "../graphs/terms.ts";
import { CountedMean, nothingCounts } from "../metrics/counted.ts";
import { addTally, type Metric } from "../metrics/metric.ts";
import { scoreName } from "../settings/term-metrics.ts";

/** The loss and the metrics of one term over the batches of a data set. */
export class TermScores {
  readonly #term: ProgramTerm;
  readonly #metrics: readonly Metric[];
  readonly #loss = new CountedMean();
  readonly #sums: readonly number[][];

  constructor(term: ProgramTerm, metrics: readonly Metric[]) {
    this.#term = term;
    this.#metrics = metrics;
    this.#sums = metrics.map(() => []);
  }

  /** Takes a batch, its mean loss, and what that was computed from. */
  add(batch: Batch, loss: number, scored: Tensor): void {
    const { target, says, counted } = this.#term;
    const weight = counted(batch);
    this.#loss.add(loss * weight, weight);
    const values = { output: scored, target: target && batch.feeds[target.input.name], ...says };
    this.#metrics.forEach((metric, at) => {
      addTally(this.#sums[at] as number[], metric.tally(values));
    });
  }

  /** The mean loss. Throws `EMPTY_DATA` if nothing counts. */
  loss(data: Dataset): number {
    const { name, alone } = this.#term;
    if (data.count > 0 && this.#loss.counted === 0)
      throw nothingCounts(alone ? data.name : `target of "${name}" in ${data.name}`);
    return this.#loss.value;
  }

  /** The metrics, by name; of one term of several, its loss too. */
  named(data: Dataset): readonly (readonly [string, number])[] {
    const own = dataFor(this.#term.target, data);
    return [
      ...(this.#term.alone ? [] : [[scoreName(this.#term, "loss"), this.#loss.value] as const]),
      ...this.#metrics.map(
        ({ name, value }, at) => [scoreName(this.#term, name), value(this.#sums[at] ?? [], own)] as const,
      ),
    ];
  }
}

/** The weighted sum of the terms' losses. */
export function sumOfTerms(terms: readonly Pick<ProgramTerm, "weight">[], losses: readonly number[]): number {
  return losses.map((loss, at) => loss * (terms[at]?.weight ?? 1)).reduce((sum, loss) => sum + loss);
}
