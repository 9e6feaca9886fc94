import type { Feeds } from "../engine/session.ts";
import { evaluateDim } from "../graph/dim.ts";
import { widthSizes } from "../growth/symbols.ts";
import type { Width } from "../growth/width.ts";
import { hashName, philox } from "../tensor/random.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import type { DropoutMask, Program } from "./program.ts";
import { feedSizes } from "./program-inputs.ts";

const rowsPerStep = 2 ** 20;

/** A batch together with the masks of every dropout of a program, for step `step`. */
export function withMasks(
  program: Program,
  widths: readonly Width[],
  feeds: Feeds,
  { seed, step }: { readonly seed: number; readonly step: number },
): Feeds {
  if (program.masks.length === 0) return feeds;
  const sizes = new Map([...widthSizes(widths), ...feedSizes(program, feeds)]);
  return { ...feeds, ...drawMasks(program.masks, sizes, seed, step) };
}

/**
 * The dropout masks of one step. Each value is a function of (seed, which dropout, step, row, position) alone, so a
 * run resumes exactly, and units that were there before a growth are dropped as if it had not happened.
 */
export function drawMasks(
  masks: readonly DropoutMask[],
  sizes: ReadonlyMap<string, number>,
  seed: number,
  step: number,
): Feeds {
  const feeds: Record<string, Tensor> = {};
  const words = new Uint32Array(4);
  for (const { input, shape, ratio } of masks) {
    const dims = shape.map((dim) => evaluateDim(dim, sizes) ?? 1);
    const rows = dims[0] ?? 1;
    const columns = sizeOf(dims.slice(1));
    const data = new Float32Array(rows * columns);
    const kept = 1 / (1 - ratio);
    const threshold = ratio * 2 ** 32;
    const stream = hashName(input);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column += 4) {
        philox(seed, stream, column / 4, step * rowsPerStep + row, words);
        const end = Math.min(4, columns - column);
        for (let lane = 0; lane < end; lane++) {
          if ((words[lane] as number) >= threshold) data[row * columns + column + lane] = kept;
        }
      }
    }
    feeds[input] = { dtype: "float32", dims, data };
  }
  return feeds;
}
