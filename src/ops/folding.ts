import type { Dim, Shape } from "../graph/dim.ts";
import { divideDims, multiplyDims, productOfDims } from "../graph/dim.ts";
import {
  type Block,
  type Layout,
  normalise,
  repeatLayout,
  sameLayout,
  scaleLayout,
  unscaleLayout,
} from "../graph/layout.ts";
import { type Carried, input, output, type Tie, tie } from "./flow.ts";

/** Neighbouring axes of the input that together have as many positions as neighbouring axes of the output. */
export interface Group {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/**
 * Pairs the axes of two shapes of the same size, left to right, into the smallest groups with equal
 * products. Undefined where symbolic sizes do not tell.
 */
export function groupAxes(from: Shape, to: Shape): readonly Group[] | undefined {
  const groups: Group[] = [];
  let [i, j] = [0, 0];
  while (i < from.length && j < to.length) {
    const group = { from: [i], to: [j] };
    let left = from[i++] as Dim;
    let right = to[j++] as Dim;
    while (left !== right) {
      if (i < from.length && isMultiple(right, left)) {
        group.from.push(i);
        left = multiplyDims(left, from[i++] as Dim);
      } else if (j < to.length && isMultiple(left, right)) {
        group.to.push(j);
        right = multiplyDims(right, to[j++] as Dim);
      } else return undefined;
    }
    groups.push(group);
  }
  // What is left has size 1; it belongs to the last group.
  const last = groups.pop();
  const rest = (start: number, end: number) => Array.from({ length: end - start }, (_, at) => start + at);
  const tail = { from: rest(i, from.length), to: rest(j, to.length) };
  if (last === undefined) return [tail];
  return [...groups, { from: [...last.from, ...tail.from], to: [...last.to, ...tail.to] }];
}

/** Whether `a` is a larger multiple of `b`, or may become one. */
function isMultiple(a: Dim, b: Dim): boolean {
  if (typeof a === "number" && typeof b === "number") return a > b;
  return divideDims(a, b) !== undefined;
}

/**
 * Ties of one axis with the neighbouring axes that it is folded from (`sizes`, slowest first). The layout of the
 * folded axis from that of part `p` repeats and scales; back, the first part whose layout it can be takes it, and
 * the other parts are told that nothing changes for them (a fixed layout).
 */
export function foldTies(sizes: Shape, part: (p: number) => Tie["a"], folded: Tie["a"]): readonly Tie[] {
  const factors = sizes.map((_, p) => ({
    slower: productOfDims(sizes.slice(0, p)),
    faster: productOfDims(sizes.slice(p + 1)),
  }));
  const unknown = { blocked: "it is folded with an axis of unknown size" };
  const unfold = (layout: Layout, p: number): Layout | undefined => {
    const { slower, faster } = factors[p] as (typeof factors)[number];
    if (typeof slower !== "number" || typeof faster !== "number") return undefined;
    const scaled = unscaleLayout(layout, faster);
    return scaled === undefined ? undefined : unrepeatLayout(scaled, slower);
  };
  const ambiguous = { blocked: "it is folded with other axes in a way that no one of them can follow" };
  const ownerOf = (layout: Layout) => sizes.findIndex((_, at) => unfold(layout, at) !== undefined);
  return sizes.map((size, p): Tie => {
    const { slower, faster } = factors[p] as (typeof factors)[number];
    return {
      a: part(p),
      b: folded,
      forward(layout): Carried {
        if (typeof slower !== "number" || typeof faster !== "number") return unknown;
        const whole = repeatLayout(scaleLayout(layout, faster), slower);
        // Next to axes of size 1 the way back may lead to another axis.
        return ownerOf(whole) === p ? whole : ambiguous;
      },
      backward(layout): Carried {
        const owner = ownerOf(layout);
        if (owner < 0) return ambiguous;
        if (owner === p) return unfold(layout, p) as Layout;
        return typeof size === "number" ? [{ fixed: size }] : unknown;
      },
    };
  });
}

/** The inverse of {@link repeatLayout}, or undefined where the layout is not `count` times the same. */
export function unrepeatLayout(layout: Layout, count: number): Layout | undefined {
  const blocks = normalise(layout);
  if (count === 1) return blocks;
  if (blocks.length % count !== 0 || blocks.length === 0) return undefined;
  const once = blocks.slice(0, blocks.length / count);
  return sameLayout(repeatLayout(once, count), blocks) ? once : undefined;
}

/**
 * The layout of part `index` of an axis that is `sizes` one after the other; a fixed layout where the width does
 * not reach that part.
 */
export function concatenatedPart(layout: Layout, sizes: Shape, index: number): Carried {
  if (!sizes.every((size): size is number => typeof size === "number")) {
    return { blocked: "it is concatenated with something of unknown size" };
  }
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const fixed = layout.reduce((sum, block) => sum + ("fixed" in block ? block.fixed : 0), 0);
  const inner = layout.reduce((sum, block) => sum + ("fixed" in block ? 0 : block.inner), 0);
  const units = inner === 0 ? 0 : (total - fixed) / inner;
  const start = sizes.slice(0, index).reduce((sum, size) => sum + size, 0);
  const part = sliceLayout(layout, units, start, start + (sizes[index] as number));
  return part ?? { blocked: "one unit would lie in several parts of the concatenation" };
}

/** The blocks of positions `start` to `end`, or undefined where a border cuts through units. */
export function sliceLayout(layout: Layout, units: number, start: number, end: number): Layout | undefined {
  const blocks: Block[] = [];
  let position = 0;
  for (const block of layout) {
    const size = "fixed" in block ? block.fixed : block.inner * units;
    const [from, to] = [Math.max(start, position), Math.min(end, position + size)];
    position += size;
    if (from >= to) continue;
    if ("fixed" in block) blocks.push({ fixed: to - from });
    else if (to - from === size) blocks.push(block);
    else return undefined;
  }
  return normalise(blocks);
}

/** Ties of a group of axes that keeps, folds or unfolds one axis; undefined where several become several. */
export function groupTies(group: Group, from: Shape, to: Shape): readonly Tie[] | undefined {
  const [only, target] = [group.from[0], group.to[0]];
  if (only === undefined || target === undefined) return [];
  if (group.from.length === 1 && group.to.length === 1) return [tie(input(0, only), output(target))];
  if (group.to.length === 1) {
    return foldTies(
      group.from.map((axis) => from[axis] as Dim),
      (p) => input(0, group.from[p] as number),
      output(target),
    );
  }
  if (group.from.length === 1) {
    return foldTies(
      group.to.map((axis) => to[axis] as Dim),
      (p) => output(group.to[p] as number),
      input(0, only),
    );
  }
  return undefined;
}
