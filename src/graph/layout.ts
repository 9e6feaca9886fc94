import { EspalierError } from "../tensor/errors.ts";

/**
 * How one axis of a tensor is made up, seen from a single width of `units` units: a run of blocks,
 * each either fixed (it has nothing to do with the width) or the width itself, `inner` positions to a
 * unit. A flattened channel is `[{ inner: 49 }]`; a concatenation `[{ fixed: 8 }, { inner: 1 }]`; fused
 * queries, keys and values `[{ inner: 64 }, { inner: 64 }, { inner: 64 }]`.
 */
export type Layout = readonly Block[];
export type Block = { readonly fixed: number } | { readonly inner: number };

/** The layout of an axis whose positions are the units themselves. */
export const unitLayout: Layout = [{ inner: 1 }];

/** Number of positions that a layout covers when the width has `units` units. */
export function layoutSize(layout: Layout, units: number): number {
  return layout.reduce((size, block) => size + ("fixed" in block ? block.fixed : block.inner * units), 0);
}

export function sameLayout(a: Layout, b: Layout): boolean {
  const left = normalise(a);
  const right = normalise(b);
  return (
    left.length === right.length &&
    left.every((block, index) => {
      const other = right[index] as Block;
      return "fixed" in block
        ? "fixed" in other && block.fixed === other.fixed
        : "inner" in other && block.inner === other.inner;
    })
  );
}

/** Merges neighbouring fixed blocks and drops empty ones. */
export function normalise(layout: Layout): Layout {
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

/** Each position repeated `factor` times in place: the axis is folded with a faster axis of that size. */
export function scaleLayout(layout: Layout, factor: number): Layout {
  return layout.map((block) =>
    "fixed" in block ? { fixed: block.fixed * factor } : { inner: block.inner * factor },
  );
}

/** The whole layout `count` times over: the axis is folded with a slower axis of that size. */
export function repeatLayout(layout: Layout, count: number): Layout {
  return Array.from({ length: count }, () => layout).flat();
}

/** The inverse of {@link scaleLayout}, or undefined where it does not come out even. */
export function unscaleLayout(layout: Layout, factor: number): Layout | undefined {
  const blocks: Block[] = [];
  for (const block of normalise(layout)) {
    const size = "fixed" in block ? block.fixed : block.inner;
    if (size % factor !== 0) return undefined;
    blocks.push("fixed" in block ? { fixed: size / factor } : { inner: size / factor });
  }
  return blocks;
}

/** For every new position, the old position it came from, or -1 where `by` new units were appended. */
export function growthIndices(layout: Layout, units: number, by: number): Int32Array {
  const indices = new Int32Array(layoutSize(layout, units + by)).fill(-1);
  let old = 0;
  let next = 0;
  for (const block of layout) {
    const size = "fixed" in block ? block.fixed : block.inner * units;
    for (let offset = 0; offset < size; offset++) indices[next + offset] = old + offset;
    old += size;
    next += "fixed" in block ? size : block.inner * (units + by);
  }
  return indices;
}

/** Where the units of a width lie on an axis, as one array: an array to a unit would be garbage by the megabyte. */
export interface UnitPositions {
  /** Positions that one unit owns. */
  readonly perUnit: number;
  /** Those of unit 0, ascending, then those of unit 1, ... */
  readonly positions: Int32Array;
}

/** The positions of each unit on an axis of this layout. */
export function unitPositions(layout: Layout, units: number): UnitPositions {
  const perUnit = layout.reduce((sum, block) => sum + ("fixed" in block ? 0 : block.inner), 0);
  const positions = new Int32Array(units * perUnit);
  let start = 0;
  let owned = 0;
  for (const block of layout) {
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

/** Checks that a layout covers an axis. Throws `INVALID_MODEL`: a rule that breaks this is a bug. */
export function checkLayout(thing: string, layout: Layout, units: number, size: number): void {
  if (layoutSize(layout, units) !== size) {
    throw new EspalierError("INVALID_MODEL", {
      thing,
      rule: `its layout must cover ${size} positions`,
      received: layoutSize(layout, units),
    });
  }
}
