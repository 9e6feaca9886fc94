import { EspalierError } from "../tensor/errors.ts";
import { addDims, type Dim, divideDims, multiplyDims } from "./dim.ts";

/**
 * How one axis of a tensor is made up, seen from a single width of `units` units: a sequence of blocks, each either
 * fixed (it has nothing to do with the width), or the width itself with `inner` positions per unit, or a layout repeated
 * a symbolic number of `times`. A flattened channel is `[{ inner: 49 }]`; a concatenation
 * `[{ fixed: 8 }, { inner: 1 }]`; fused queries, keys and values `[{ inner: 64 }, { inner: 64 }, { inner: 64 }]`;
 * heads folded with the batch `[{ times: "batch", of: [{ inner: 1 }] }]`.
 */
export type Layout = readonly Block[];
export type Block =
  | { readonly fixed: number }
  | { readonly inner: number }
  | { readonly times: string; readonly of: Layout };

/** The layout of an axis whose positions are the units themselves. */
export const unitLayout: Layout = [{ inner: 1 }];

/** The layout of an axis that a width does not reach. */
export const untouched: Layout = [];

/** Number of positions that a layout covers when the width has `units` units. */
export function layoutDim(layout: Layout, units: number): Dim {
  return layout.reduce<Dim>((size, block) => {
    if ("fixed" in block) return addDims(size, block.fixed);
    if ("inner" in block) return addDims(size, block.inner * units);
    return addDims(size, multiplyDims(block.times, layoutDim(block.of, units)));
  }, 0);
}

/** Like {@link layoutDim}, for an axis that is not repeated a symbolic number of times (NaN otherwise). */
export function layoutSize(layout: Layout, units: number): number {
  const size = layoutDim(layout, units);
  return typeof size === "number" ? size : Number.NaN;
}

/** Whether the width is on an axis of this layout. */
export function carriesUnits(layout: Layout): boolean {
  return layout.some((block) => "inner" in block || ("times" in block && carriesUnits(block.of)));
}

/** Whether new units come after everything else on an axis of this layout. */
export function endsInUnits(layout: Layout): boolean {
  const blocks = normalize(layout);
  return blocks.every((block, at) => (at < blocks.length - 1 ? "fixed" in block : "inner" in block));
}

export function sameLayout(a: Layout, b: Layout): boolean {
  const left = normalize(a);
  const right = normalize(b);
  return (
    left.length === right.length && left.every((block, index) => sameBlock(block, right[index] as Block))
  );
}

function sameBlock(a: Block, b: Block): boolean {
  if ("fixed" in a) return "fixed" in b && a.fixed === b.fixed;
  if ("inner" in a) return "inner" in b && a.inner === b.inner;
  return "times" in b && a.times === b.times && sameLayout(a.of, b.of);
}

/** Merges neighboring fixed blocks and drops empty ones. */
export function normalize(layout: Layout): Layout {
  const blocks: Block[] = [];
  for (const block of layout) {
    const last = blocks.at(-1);
    if ("fixed" in block && last !== undefined && "fixed" in last) {
      blocks[blocks.length - 1] = { fixed: last.fixed + block.fixed };
    } else if (!("fixed" in block) || block.fixed > 0) {
      blocks.push(block);
    }
  }
  return blocks;
}

/**
 * The layout of an axis that has two at once: a position that belongs to the width in either belongs to it in
 * the result. Undefined if they cut the same positions differently.
 */
export function mergeLayouts(a: Layout, b: Layout, units: number): Layout | undefined {
  const [left, right] = [[...normalize(a)], [...normalize(b)]];
  const merged: Block[] = [];
  for (;;) {
    const [x, y] = [left.shift(), right.shift()];
    if (x === undefined || y === undefined) return x === y ? normalize(merged) : undefined;
    if (sameBlock(x, y)) {
      merged.push(x);
      continue;
    }
    const [sizeX, sizeY] = [layoutSize([x], units), layoutSize([y], units)];
    const [short, long] = sizeX <= sizeY ? [x, y] : [y, x];
    // Only a fixed block can be cut, or give way to units.
    if (!("fixed" in long) || !(Math.min(sizeX, sizeY) > 0)) {
      if (sizeX !== sizeY || !("fixed" in short)) return undefined;
      merged.push(long);
      continue;
    }
    merged.push(short);
    const rest = { fixed: Math.abs(sizeX - sizeY) };
    if (rest.fixed > 0) (sizeX <= sizeY ? right : left).unshift(rest);
  }
}

/** Each position repeated `factor` times in place: the axis is folded with a faster axis of that size. */
export function scaleLayout(layout: Layout, factor: number): Layout {
  return layout.map((block) => {
    if ("fixed" in block) return { fixed: block.fixed * factor };
    if ("inner" in block) return { inner: block.inner * factor };
    return { times: block.times, of: scaleLayout(block.of, factor) };
  });
}

/** The whole layout `count` times over: the axis is folded with a slower axis of that size. */
export function repeatLayout(layout: Layout, count: Dim): Layout {
  if (typeof count === "string") return [{ times: count, of: layout }];
  return Array.from({ length: count }, () => layout).flat();
}

/** The inverse of {@link scaleLayout}, or undefined if it does not divide evenly. */
export function unscaleLayout(layout: Layout, factor: number): Layout | undefined {
  const blocks: Block[] = [];
  for (const block of normalize(layout)) {
    if ("times" in block) {
      const of = unscaleLayout(block.of, factor);
      if (of === undefined) return undefined;
      blocks.push({ times: block.times, of });
      continue;
    }
    const size = "fixed" in block ? block.fixed : block.inner;
    if (size % factor !== 0) return undefined;
    blocks.push("fixed" in block ? { fixed: size / factor } : { inner: size / factor });
  }
  return blocks;
}

/** The inverse of {@link repeatLayout}, or undefined if the layout is not the same `count` times. */
export function unrepeatLayout(layout: Layout, count: Dim): Layout | undefined {
  const blocks = normalize(layout);
  if (count === 1) return blocks;
  if (typeof count === "string") {
    const [only, second] = blocks;
    if (only === undefined || second !== undefined || !("times" in only)) return undefined;
    const left = divideDims(only.times, count);
    return left === undefined ? undefined : repeatLayout(only.of, left);
  }
  if (blocks.length % count !== 0 || blocks.length === 0) return undefined;
  const once = blocks.slice(0, blocks.length / count);
  return sameLayout(repeatLayout(once, count), blocks) ? once : undefined;
}

/** The blocks of an axis whose number of positions is known. Throws `INVALID_MODEL` for any other: that is a bug. */
export function plainBlocks(layout: Layout): readonly Exclude<Block, { times: string }>[] {
  return layout.map((block) => {
    if (!("times" in block)) return block;
    throw new EspalierError("INVALID_MODEL", {
      thing: "a layout",
      rule: "must not repeat it a symbolic number of times",
      received: block.times,
    });
  });
}

/** For every new position, the old position it came from, or -1 for those of the `by` appended units. */
export function growthIndices(layout: Layout, units: number, by: number): Int32Array {
  const indices = new Int32Array(layoutSize(layout, units + by)).fill(-1);
  let old = 0;
  let next = 0;
  for (const block of plainBlocks(layout)) {
    const size = "fixed" in block ? block.fixed : block.inner * units;
    for (let offset = 0; offset < size; offset++) indices[next + offset] = old + offset;
    old += size;
    next += "fixed" in block ? size : block.inner * (units + by);
  }
  return indices;
}

/** For every position that remains if only the `kept` of `units` units stay, its current position. */
export function keptPositions(layout: Layout, units: number, kept: readonly number[]): Int32Array {
  const positions = new Int32Array(layoutSize(layout, kept.length));
  let old = 0;
  let next = 0;
  for (const block of plainBlocks(layout)) {
    const [runs, length] = "fixed" in block ? [[0], block.fixed] : [kept, block.inner];
    for (const run of runs) {
      for (let offset = 0; offset < length; offset++) positions[next++] = old + run * length + offset;
    }
    old += "fixed" in block ? block.fixed : block.inner * units;
  }
  return positions;
}

/**
 * The positions of a width's units on an axis, as one array, because an array per unit would make megabytes
 * of garbage.
 */
export interface UnitPositions {
  /** Positions of one unit. */
  readonly perUnit: number;
  /** Those of unit 0, ascending, then those of unit 1, ... */
  readonly positions: Int32Array;
}

/** The positions of each unit on an axis of this layout. */
export function unitPositions(layout: Layout, units: number): UnitPositions {
  const perUnit = plainBlocks(layout).reduce((sum, block) => sum + ("fixed" in block ? 0 : block.inner), 0);
  const positions = new Int32Array(units * perUnit);
  let start = 0;
  let owned = 0;
  for (const block of plainBlocks(layout)) {
    if ("fixed" in block) {
      start += block.fixed;
      continue;
    }
    for (let unit = 0; unit < units; unit++) {
      const first = unit * perUnit + owned;
      for (let offset = 0; offset < block.inner; offset++) {
        positions[first + offset] = start + unit * block.inner + offset;
      }
    }
    start += block.inner * units;
    owned += block.inner;
  }
  return { perUnit, positions };
}
