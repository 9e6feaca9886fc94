import type { Dim, Shape } from "../../graph/dim.ts";
import { divideDims, multiplyDims, productOfDims } from "../../graph/dim.ts";
import {
  type Block,
  carriesUnits,
  type Layout,
  layoutSize,
  normalize,
  repeatLayout,
  sameLayout,
  scaleLayout,
  unitLayout,
  unrepeatLayout,
  unscaleLayout,
  untouched,
} from "../../graph/layout.ts";
import {
  type AxisRef,
  type Carried,
  type Grain,
  input,
  output,
  type Placed,
  type Tie,
  unitsOn,
} from "./axis-rule.ts";

/** Neighboring axes of the input that together have the same number of positions as neighboring axes of the output. */
export interface Group {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/**
 * Pairs the axes of two shapes of the same size, left to right, into the smallest groups with equal
 * products. Undefined if symbolic sizes leave it open.
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
  // The axes that are left have size 1; they belong to the last group.
  const last = groups.pop();
  const rest = (start: number, end: number) => Array.from({ length: end - start }, (_, at) => start + at);
  const tail = { from: rest(i, from.length), to: rest(j, to.length) };
  if (last === undefined) return [tail];
  return [...groups, { from: [...last.from, ...tail.from], to: [...last.to, ...tail.to] }];
}

/** Whether `a` is a larger multiple of `b`, or may turn out to be one. */
function isMultiple(a: Dim, b: Dim): boolean {
  if (typeof a === "number" && typeof b === "number") return a > b;
  return divideDims(a, b) !== undefined;
}

/** A run of positions that is common to an axis of one shape and an axis of the other. */
interface Factor {
  readonly size: Dim;
  readonly from: number;
  readonly to: number;
}

/** The coarsest factors, slowest first, of which the axes on both sides are products; undefined if there are none. */
function commonFactors(from: Shape, to: Shape): readonly Factor[] | undefined {
  const factors: Factor[] = [];
  if (from.length === 0 || to.length === 0) return factors;
  let [i, j] = [0, 0];
  let [a, b] = [from[0], to[0]];
  while (i < from.length || j < to.length) {
    const shared = commonFactor(a, b);
    if (shared === undefined) return undefined;
    factors.push({ size: shared, from: Math.min(i, from.length - 1), to: Math.min(j, to.length - 1) });
    // An axis of size 1 is a separate factor, and uses up nothing of its neighbor on the other side.
    const alone = shared === 1 && a !== b;
    const restA = alone || a === undefined ? a : divideDims(a, shared);
    const restB = alone || b === undefined ? b : divideDims(b, shared);
    a = restA === 1 ? from[++i] : restA;
    b = restB === 1 ? to[++j] : restB;
  }
  return factors;
}

function commonFactor(a: Dim | undefined, b: Dim | undefined): Dim | undefined {
  if (a === b) return a;
  if (a === 1 || b === 1) return 1;
  if (a === undefined || b === undefined) return undefined;
  if (divideDims(a, b) !== undefined) return b;
  return divideDims(b, a) === undefined ? undefined : a;
}

/**
 * The most parts of an axis that are tried one by one: more than any model has heads, yet cheap even for a
 * hostile file.
 */
const maxParts = 4096;

/** One axis as the product of its factors. */
class FactoredAxis {
  readonly #factors: readonly Factor[];

  constructor(factors: readonly Factor[]) {
    this.#factors = factors;
  }

  /** The layout of the axis if a factor has `layout`; undefined if sizes are not known. */
  fold(layout: Layout, factor: Factor): Layout | undefined {
    const { slower, faster } = this.#around(factor);
    if (typeof faster !== "number") return undefined;
    return repeatLayout(scaleLayout(layout, faster), slower);
  }

  /**
   * A factor such that all units of a layout of the axis are at one position of it, and the layout on the remaining
   * factors. Undefined if there is none.
   */
  place(
    layout: Layout,
  ): { readonly on: Factor; readonly position: number; readonly rest: Layout } | undefined {
    for (const factor of this.#factors) {
      const { slower, faster } = this.#around(factor);
      if (typeof slower !== "number" || typeof faster !== "number" || typeof factor.size !== "number")
        continue;
      const count = slower * factor.size;
      if (factor.size === 1 || count > maxParts) continue;
      const units = unitsOn(layout, count * faster);
      const cuts = Array.from({ length: count }, (_, at) =>
        sliceLayout(layout, units, at * faster, (at + 1) * faster),
      );
      const position = cuts.findIndex((cut) => cut !== undefined && carriesUnits(cut)) % factor.size;
      const own = cuts[position];
      if (own === undefined) continue;
      const fits = cuts.every(
        (cut, at) =>
          cut !== undefined &&
          (at % (factor.size as number) === position ? sameLayout(cut, own) : !carriesUnits(cut)),
      );
      if (fits) return { on: factor, position, rest: repeatLayout(own, slower) };
    }
    return undefined;
  }

  without(factor: Factor): FactoredAxis {
    return new FactoredAxis(this.#factors.filter((one) => one !== factor));
  }

  /** Whether the axis is just this factor. */
  is(factor: Factor): boolean {
    return this.#factors.length === 1 && this.#factors[0] === factor;
  }

  /** The factor that a layout of the axis belongs to (the slowest that fits), and its layout. */
  unfold(layout: Layout): { readonly factor: Factor; readonly layout: Layout } | undefined {
    for (const factor of this.#factors) {
      const { slower, faster } = this.#around(factor);
      if (typeof faster !== "number") continue;
      const scaled = unscaleLayout(layout, faster);
      const part = scaled === undefined ? undefined : unrepeatLayout(scaled, slower);
      if (part !== undefined) return { factor, layout: part };
    }
    return undefined;
  }

  /** The ways to cut the axis so that one factor takes it all. */
  grains(): readonly Grain[] {
    return this.#factors.flatMap((factor) => {
      const layout = this.fold(unitLayout, factor);
      if (layout === undefined || typeof factor.size !== "number" || factor.size === 1) return [];
      return [{ layout, units: factor.size }];
    });
  }

  #around(factor: Factor): { readonly slower: Dim; readonly faster: Dim } {
    const at = this.#factors.indexOf(factor);
    const sizes = this.#factors.map(({ size }) => size);
    return { slower: productOfDims(sizes.slice(0, at)), faster: productOfDims(sizes.slice(at + 1)) };
  }
}

/** The axes of one side of a reshape: their sizes, and how to refer to axis `at` of them. */
export interface Side {
  readonly sizes: Shape;
  readonly ref: (at: number) => AxisRef;
}

/**
 * Ties between axes that are folded and unfolded into each other: the same elements in the same order. A layout goes
 * from an axis to the factor of it that it fits, and on to the axis of the other side that has this factor. Undefined
 * if the sizes have no common factors.
 */
export function regroupTies(from: Side, to: Side): readonly Tie[] | undefined {
  const factors = commonFactors(from.sizes, to.sizes);
  if (factors === undefined) return undefined;
  const left = from.sizes.map((_, at) => new FactoredAxis(factors.filter((factor) => factor.from === at)));
  const right = to.sizes.map((_, at) => new FactoredAxis(factors.filter((factor) => factor.to === at)));
  const carry = (layout: Layout, source: FactoredAxis, target: FactoredAxis, shared: Factor): Carried => {
    const ambiguous = {
      blocked: "it is folded with other axes in such a way that none of them can grow with it",
      instead: source.grains(),
    };
    const part = source.unfold(layout);
    if (part === undefined) return ambiguous;
    if (part.factor !== shared) return untouched;
    const whole = target.fold(part.layout, shared);
    if (whole === undefined) return { blocked: "it is folded with an axis of unknown size" };
    // Next to axes of size 1, the way back may lead to another axis.
    return target.unfold(whole)?.factor === shared ? whole : ambiguous;
  };
  const place = (layout: Layout, factor: Factor): Placed | undefined => {
    const source = left[factor.from] as FactoredAxis;
    const at = source.place(layout);
    if (at === undefined || right[at.on.to]?.is(at.on) !== true) return undefined;
    const part = source.without(at.on).unfold(at.rest);
    if (part === undefined) return undefined;
    const beside = { axis: to.ref(at.on.to).axis, position: at.position };
    if (part.factor !== factor) return { ...beside, layout: untouched };
    const whole = right[factor.to]?.fold(part.layout, factor);
    return whole && { ...beside, layout: whole };
  };
  return factors.map((factor): Tie => {
    const [source, target] = [left[factor.from] as FactoredAxis, right[factor.to] as FactoredAxis];
    return {
      forwardAt: (layout) => place(layout, factor),
      a: from.ref(factor.from),
      b: to.ref(factor.to),
      forward: (layout) => carry(layout, source, target, factor),
      backward: (layout) => carry(layout, target, source, factor),
    };
  });
}

/**
 * Ties of an axis that is a concatenation of others with each of these parts (`sizes` positions each). A width that
 * would be cut at a border is offered the cut in which the parts have the same units: fused queries, keys and values
 * as three blocks.
 */
export function concatenationTies(whole: AxisRef, parts: readonly AxisRef[], sizes: Shape): readonly Tie[] {
  const known = sizes.every((size): size is number => typeof size === "number") ? sizes : undefined;
  const unknown = { blocked: "it is concatenated with something of unknown size" };
  let total = 0;
  const starts = known?.map((size) => {
    total += size;
    return total - size;
  });
  // Their number grows with the square of the number of parts, and they are rarely asked for.
  let grains: readonly Grain[] | undefined;
  const grainsOf = (all: readonly number[]) => {
    grains ??= all.length < 2 ? [] : partGrains(all);
    return grains;
  };
  return parts.map(
    (part, index): Tie => ({
      a: whole,
      b: part,
      forward(layout): Carried {
        if (known === undefined) return unknown;
        const start = starts?.[index] as number;
        const units = unitsOn(layout, total);
        const cut = sliceLayout(layout, units, start, start + (known[index] as number));
        if (cut !== undefined) return cut;
        return {
          blocked: "a unit and its neighbors would be in several parts of the concatenation",
          instead: grainsOf(known),
        };
      },
      backward(layout): Carried {
        if (known === undefined) return unknown;
        const fixed = known.map((size) => ({ fixed: size }));
        return normalize([...fixed.slice(0, index), ...layout, ...fixed.slice(index + 1)]);
      },
    }),
  );
}

/** The ways to cut an axis made of parts: each separately, but first all alike if they have the same size. */
export function partGrains(sizes: readonly number[]): readonly Grain[] {
  const [first = 0] = sizes;
  const apart = sizes.map((units, part) => ({
    layout: normalize(sizes.map((fixed, at) => (at === part ? { inner: 1 } : { fixed }))),
    units,
  }));
  if (sizes.some((size) => size !== first)) return apart;
  return [{ layout: sizes.map(() => ({ inner: 1 })), units: first, otherwise: apart }];
}

/** The blocks of positions `start` to `end`, or undefined if a border cuts through units. */
export function sliceLayout(layout: Layout, units: number, start: number, end: number): Layout | undefined {
  const blocks: Block[] = [];
  let position = 0;
  for (const block of layout) {
    const size = layoutSize([block], units);
    const [from, to] = [Math.max(start, position), Math.min(end, position + size)];
    position += size;
    if (from >= to) continue;
    if ("fixed" in block) blocks.push({ fixed: to - from });
    else if (to - from === size) blocks.push(block);
    else return undefined;
  }
  return normalize(blocks);
}

/** Ties of the axes of a group; undefined if they have no common factors. */
export function groupTies(group: Group, from: Shape, to: Shape): readonly Tie[] | undefined {
  const side = (axes: readonly number[], shape: Shape, ref: (axis: number) => AxisRef): Side => ({
    sizes: axes.map((axis) => shape[axis] as Dim),
    ref: (at) => ref(axes[at] as number),
  });
  return regroupTies(
    side(group.from, from, (axis) => input(0, axis)),
    side(group.to, to, (axis) => output(axis)),
  );
}
