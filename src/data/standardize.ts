import { EspalierError } from "../tensor/errors.ts";
import { type Dataset, dataset } from "./dataset.ts";
import type { Preprocessing, Scale } from "./preprocessing/preprocessing.ts";

/** What to subtract from each feature, and what to divide it by. Plain data that can be stored with a model. */
export interface Standardizer {
  readonly mean: readonly number[];
  /** Population standard deviation; 1 for a feature that never changes. */
  readonly scale: readonly number[];
}

/** The statistics of each feature of `train`. Apply them to the training and the test data alike. */
export function standardizer(train: Dataset): Standardizer {
  const columns = train.features.length / train.count;
  const { features, count } = train;
  const mean = new Array<number>(columns).fill(0);
  const squares = new Array<number>(columns).fill(0);
  const changes = new Array<boolean>(columns).fill(false);
  for (let at = 0; at < features.length; at++) {
    const column = at % columns;
    mean[column]! += features[at]! / count;
    // Compare the values: with a rounded mean, the variance of a constant column is tiny but not zero.
    if (features[at] !== features[column]) changes[column] = true;
  }
  for (let at = 0; at < features.length; at++)
    squares[at % columns]! += (features[at]! - mean[at % columns]!) ** 2;
  return { mean, scale: squares.map((sum, column) => (changes[column] ? Math.sqrt(sum / count) : 1)) };
}

/** (features − mean) / scale, as a new dataset. Throws `SHAPE_MISMATCH` for another number of features. */
export function applyStandardizer(data: Dataset, { mean, scale }: Standardizer): Dataset {
  const columns = data.features.length / data.count;
  if (mean.length !== columns || scale.length !== columns) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `standardizer for ${data.name}`,
      rule: `needs ${columns} means and scales, one for each feature`,
      received: { mean: mean.length, scale: scale.length },
    });
  }
  const features = data.features.map((value, at) => (value - mean[at % columns]!) / scale[at % columns]!);
  const { preprocessing, ...others } = data;
  const record = preprocessing && rescaled(preprocessing, { mean, scale });
  return dataset({ ...others, features, ...(record === undefined ? {} : { preprocessing: record }) });
}

/** The record of features that were scaled once more; undefined for categories, which a record cannot scale. */
function rescaled(record: Preprocessing, { mean, scale }: Standardizer): Preprocessing | undefined {
  const again = (before: Scale, at: number): Scale => ({
    mean: before.mean + mean[at]! * before.deviation,
    deviation: before.deviation * scale[at]!,
  });
  const { features } = record;
  if (features.kind === "image") {
    const before = features.scales ?? mean.map(() => ({ mean: 0, deviation: 1 }));
    return { ...record, features: { ...features, scales: before.map(again) } };
  }
  const numbers = features.columns.filter((column) => column.kind === "number");
  if (numbers.length < features.columns.length) return undefined;
  const columns = numbers.map((column, at) => ({ ...column, ...again(column, at) }));
  return { ...record, features: { ...features, columns } };
}
