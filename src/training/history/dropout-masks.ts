import type { Feeds } from "../../engine/session.ts";
import { evaluateDim } from "../../graph/dim.ts";
import { keptPositions, layoutSize } from "../../graph/layout.ts";
import { widthSizes } from "../../growth/plan/symbols.ts";
import type { Width } from "../../growth/plan/width.ts";
import { hashName, philox } from "../../tensor/random.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { DropoutMask, Program } from "../graphs/program.ts";
import { feedSizes } from "../graphs/program-inputs.ts";
import type { Lineages } from "./lineage.ts";

const rowsPerStep = 2 ** 20;

/** What the masks of a step depend on. */
export interface MaskDraw {
  readonly seed: number;
  /** Updates done. */
  readonly step: number;
  /** Those of the widths that have ever shrunk; default none. */
  readonly lineages?: Lineages;
}

/** A batch together with the masks of every dropout of a program. */
export function withMasks(program: Program, widths: readonly Width[], feeds: Feeds, draw: MaskDraw): Feeds {
  if (program.masks.length === 0) return feeds;
  const sizes = new Map([...widthSizes(widths), ...feedSizes(program, feeds)]);
  return { ...feeds, ...drawMasks(program.masks, widths, sizes, draw) };
}

/**
 * The dropout masks of one step. Each value depends only on (seed, which dropout, step, row, position), so a run resumes
 * exactly, and units that existed before a growth are dropped as if it had not happened. If a width has shrunk, a position
 * counts every unit that it ever had.
 */
function drawMasks(
  masks: readonly DropoutMask[],
  widths: readonly Width[],
  sizes: ReadonlyMap<string, number>,
  { seed, step, lineages = new Map() }: MaskDraw,
): Feeds {
  const feeds: Record<string, Tensor> = {};
  const words = new Uint32Array(4);
  for (const mask of masks) {
    const { input, ratio } = mask;
    const dims = mask.shape.map((dim) => evaluateDim(dim, sizes) ?? 1);
    const rows = dims[0] ?? 1;
    const columns = sizeOf(dims.slice(1));
    const places = lineages.size === 0 ? undefined : placesOf(mask, dims, widths, lineages);
    const data = new Float32Array(rows * columns);
    const kept = 1 / (1 - ratio);
    const threshold = ratio * 2 ** 32;
    const stream = hashName(input);
    for (let row = 0; row < rows; row++) {
      let block = -1;
      for (let column = 0; column < columns; column++) {
        const place = places === undefined ? column : (places[column] as number);
        const lane = place % 4;
        if (place - lane !== block) {
          block = place - lane;
          philox(seed, stream, block / 4, step * rowsPerStep + row, words);
        }
        if ((words[lane] as number) >= threshold) data[row * columns + column] = kept;
      }
    }
    feeds[input] = { dtype: "float32", dims, data };
  }
  return feeds;
}

/** The position of each column of a mask among those of all units that ever existed; undefined if it is the same. */
function placesOf(
  { like }: DropoutMask,
  dims: readonly number[],
  widths: readonly Width[],
  lineages: Lineages,
): Float64Array | undefined {
  let places = Float64Array.of(0);
  let moved = false;
  for (let axis = 1; axis < dims.length; axis++) {
    const size = dims[axis] as number;
    const lineage = lineageOn(like, axis, widths, lineages);
    const along = lineage?.positions ?? Int32Array.from({ length: size }, (_, position) => position);
    const whole = lineage?.whole ?? size;
    moved ||= lineage !== undefined;
    const next = new Float64Array(places.length * along.length);
    places.forEach((place, index) => {
      along.forEach((position, offset) => {
        next[index * along.length + offset] = place * whole + position;
      });
    });
    places = next;
  }
  return moved ? places : undefined;
}

/**
 * The index of each position of an axis among the positions of all units that its width ever had, and the
 * number of the latter.
 */
function lineageOn(
  value: string,
  axis: number,
  widths: readonly Width[],
  lineages: Lineages,
): { readonly positions: Int32Array; readonly whole: number } | undefined {
  // If several widths that have shrunk share an axis, the first is followed.
  for (const width of widths) {
    const lineage = lineages.get(width.id);
    const on = lineage && width.carried.find((one) => one.value === value && one.axis === axis);
    if (lineage === undefined || on === undefined || !on.layout.every((block) => !("times" in block)))
      continue;
    // A growth that is being measured is not part of the history yet.
    const young = Math.max(0, width.size - lineage.numbers.length);
    const numbers = [...lineage.numbers, ...Array.from({ length: young }, (_, unit) => lineage.next + unit)];
    const units = lineage.next + young;
    return { positions: keptPositions(on.layout, units, numbers), whole: layoutSize(on.layout, units) };
  }
  return undefined;
}
