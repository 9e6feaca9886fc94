import type { SampleInputs, Sizes } from "./sample-inputs.ts";

/** Batch, and size of every other symbolic axis, in the order in which they are tried. */
const small = [
  [3, 7],
  [1, 4],
  [5, 9],
  [2, 16],
  [2, 32],
] as const;

/** For models that take none of the small ones: a pad of 64, images, a second of sound. */
const large = [64, 128, 224, 320, 512, 1024, 2048, 4096, 8000, 16_000, 32_000, 48_000].map(
  (size) => [2, size] as const,
);

/** Sets of sizes to try; `large` ones only where a model takes none of the others. */
export interface SizesToTry {
  readonly small: readonly Sizes[];
  readonly large: readonly Sizes[];
}

/** Sizes for the symbolic axes of a model; those that come first in an input are taken for batches. */
export function sizesToTry(samples: Pick<SampleInputs, "symbols" | "batchSymbols">): SizesToTry {
  const { symbols, batchSymbols } = samples;
  const bound = (tries: readonly (readonly [number, number])[]) =>
    tries.map(([batch, other]) =>
      Object.fromEntries(symbols.map((name) => [name, batchSymbols.has(name) ? batch : other])),
    );
  if (symbols.length === 0) return { small: [{}], large: [] };
  const onlyBatches = symbols.every((name) => batchSymbols.has(name));
  return { small: bound(small), large: onlyBatches ? [] : bound(large) };
}
