import type { SampleInputs, Sizes } from "./sample-inputs.ts";

/** Batch size, and size of every other symbolic axis, in the order in which they are tried. */
const small = [
  [3, 7],
  [1, 4],
  [5, 9],
  [2, 16],
  [2, 32],
  [9, 3],
  [1, 64],
] as const;

/** Lengths of tables are tried up to this one. */
const longest = 1024;

/** For models that accept none of the small ones: a padding to 64, images, a second of sound. */
const large = [64, 128, 224, 320, 512, 1024, 2048, 4096, 8000, 16_000, 32_000, 48_000].map(
  (size) => [2, size] as const,
);

/** Sets of sizes to try; `large` ones only if a model accepts none of the others. */
export interface SizesToTry {
  readonly small: readonly Sizes[];
  readonly large: readonly Sizes[];
}

/**
 * Sizes for the symbolic axes of a model; first axes of inputs are taken as batches. `lengths` are those of its tables.
 */
export function sizesToTry({
  symbols,
  batchSymbols,
  lengths,
}: Pick<SampleInputs, "symbols" | "batchSymbols" | "lengths">): SizesToTry {
  const bound = (tries: readonly (readonly [number, number])[]) => {
    const all = tries.map(([batch, other]) =>
      Object.fromEntries(symbols.map((name) => [name, batchSymbols.has(name) ? batch : other])),
    );
    return [...new Map(all.map((sizes) => [JSON.stringify(sizes), sizes])).values()];
  };
  if (symbols.length === 0) return { small: [{}], large: [] };
  const onlyBatches = symbols.every((name) => batchSymbols.has(name));
  const whole = lengths.filter((size) => size > 64 && size <= longest).map((size) => [1, size] as const);
  return { small: bound([...small, ...whole.slice(0, 2)]), large: onlyBatches ? [] : bound(large) };
}
