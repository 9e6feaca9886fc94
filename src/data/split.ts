import { EspalierError } from "../tensor/errors.ts";
import { Random } from "../tensor/random.ts";
import { type Dataset, subset } from "./dataset.ts";

export interface Split {
  readonly train: Dataset;
  readonly test: Dataset;
}

/**
 * Splits a dataset into two disjoint parts, each in the original order: `round(testFraction × count)` examples go to
 * `test`, the others to `train`. With labels the split is stratified: each class keeps its share to within one
 * example. A pure function of its arguments. Throws `ARGUMENT` unless both parts get at least one example.
 */
export function splitDataset(data: Dataset, testFraction: number, seed = 0): Split {
  const { train, test } = splitRows(data, testFraction, seed);
  return { train: subset(data, train), test: subset(data, test) };
}

/** What a split needs to know about a dataset. */
export type Splittable = Pick<Dataset, "count" | "labels" | "labelDims">;

/** The rows that go to each part of {@link splitDataset}. */
export function splitRows(
  data: Splittable,
  testFraction: number,
  seed = 0,
): { readonly train: readonly number[]; readonly test: readonly number[] } {
  const wanted = Math.round(testFraction * data.count);
  if (!(testFraction > 0 && testFraction < 1 && wanted >= 1 && wanted < data.count)) {
    throw new EspalierError("ARGUMENT", {
      thing: "testFraction (command line: --test-fraction)",
      rule: `must be between 0 and 1, leaving at least one of ${data.count} examples on each side`,
      received: testFraction,
      remedy: "Use another fraction, or more examples.",
    });
  }
  const groups = groupsOf(data);
  const quotas = shareOut(
    groups.map((group) => group.length),
    wanted,
  );
  const isTest = new Uint8Array(data.count);
  groups.forEach((group, index) => {
    const order = new Random(seed, `split/${index}`).permutation(group.length);
    for (const pick of order.subarray(0, quotas[index])) isTest[group[pick] as number] = 1;
  });
  return { train: indicesWhere(isTest, 0), test: indicesWhere(isTest, 1) };
}

function indicesWhere(flags: Uint8Array, flag: number): number[] {
  const indices: number[] = [];
  for (let at = 0; at < flags.length; at++) if (flags[at] === flag) indices.push(at);
  return indices;
}

/** Indices of each class that occurs; a single group if there are no labels, or several per example. */
function groupsOf(data: Splittable): number[][] {
  const groups = new Map<number, number[]>();
  const labels = data.labelDims === undefined ? data.labels : undefined;
  for (let at = 0; at < data.count; at++) {
    const label = labels?.[at] ?? 0;
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [at]);
    else group.push(at);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}

/** Integers that sum to `total`, in proportion to `sizes`: rounded down, then one more for the largest remainders. */
function shareOut(sizes: readonly number[], total: number): number[] {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const quotas = sizes.map((size) => Math.floor((size * total) / all));
  const missing = total - quotas.reduce((sum, quota) => sum + quota, 0);
  sizes
    .map((size, index) => ({ index, remainder: (size * total) % all }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index)
    .slice(0, missing)
    .forEach(({ index }) => {
      quotas[index] = (quotas[index] as number) + 1;
    });
  return quotas;
}
