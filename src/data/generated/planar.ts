import type { OptionNames } from "../../tensor/known-options.ts";
import { Random } from "../../tensor/random.ts";
import { type Dataset, dataset } from "../dataset.ts";
import { requireNotNegative, requirePositive } from "./checks.ts";

export interface PlanarOptions {
  /** Number of points; their classes alternate, so that every class gets its share. */
  readonly count?: number;
  /** Standard deviation of the normal noise on both coordinates. */
  readonly noise?: number;
  /** Default 0. Equal seeds give equal points. */
  readonly seed?: number;
}

export const planarNames: OptionNames<PlanarOptions> = { count: true, noise: true, seed: true };

/** Points [count, 2] and their classes: `pointOf(index)` gives the noiseless point and class of example `index`. */
export function planar(
  name: string,
  classes: number,
  options: Required<PlanarOptions>,
  pointOf: (index: number) => { readonly x: number; readonly y: number; readonly label: number },
): Dataset {
  const { count, noise, seed } = options;
  requirePositive({ count });
  requireNotNegative({ noise });
  const random = new Random(seed, `data/${name}`);
  const features = new Float32Array(count * 2);
  const labels = new Int32Array(count);
  for (let index = 0; index < count; index++) {
    const { x, y, label } = pointOf(index);
    features[2 * index] = x + noise * random.normal();
    features[2 * index + 1] = y + noise * random.normal();
    labels[index] = label;
  }
  return dataset({ name, count, features, featureDims: [2], labels, classes });
}
