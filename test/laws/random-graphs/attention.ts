import type { Dim } from "../../../src/graph/dim.ts";
import { int, ints, text } from "../../../src/graph/model.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import type { Draft } from "./draft.ts";
import { linear, settled } from "./linear.ts";
import { reshape } from "./reshaping.ts";

/** Sizes of one attention. */
interface Heads {
  readonly batch: Dim;
  readonly positions: Dim;
  readonly heads: number;
  /** Heads of the keys and values; fewer than `heads` if queries are grouped. */
  readonly groups: number;
  readonly size: number;
}

/** Self-attention of [batch, positions, units], by one of the ways in which it is exported. */
export function attention(draft: Draft, x: string): string {
  const [batch, positions] = draft.shape(x) as [Dim, Dim];
  const groups = draft.chance(0.2) ? 1 : 1 + draft.below(3);
  const grouped = draft.chance(0.3);
  const heads = {
    batch,
    positions,
    groups,
    heads: grouped ? groups * 2 : groups,
    size: draft.pick([1, 2, 2, 4, 4, 6]),
  };
  return draft.as("attention", () => {
    const [queries, keys, values] = projections(draft, x, heads);
    const turned = draft.chance(0.3) && heads.size % 2 === 0;
    const rotate = (value: string) =>
      turned ? draft.as("rotary halves", () => rotary(draft, value, heads)) : value;
    const [q, k] = [rotate(queries), rotate(keys)];
    const [wideK, wideV] = [k, values].map((value) => (grouped ? spread(draft, value, heads, x) : value)) as [
      string,
      string,
    ];
    const met = attend(draft, q, wideK, wideV, heads);
    const flat = draft.emit("Transpose", [met], { perm: ints([0, 2, 1, 3]) });
    const merged = reshape(draft, flat, [batch, positions, heads.heads * heads.size], x);
    return linear(draft, merged, draft.chance(0.5) ? draft.width(x) : draft.size());
  });
}

/** Queries, keys and values as [batch, heads, positions, size], by three weights or by one. */
function projections(draft: Draft, x: string, sizes: Heads): readonly [string, string, string] {
  const { heads, groups, size } = sizes;
  const fused = draft.chance(0.5);
  if (!fused) {
    return draft.as("separate queries, keys and values", () => {
      const make = (count: number) => apart(draft, linear(draft, x, count * size), count, sizes, x);
      return [make(heads), make(groups), make(groups)];
    });
  }
  if (heads === groups && draft.chance(0.5)) return fusedByAxis(draft, x, sizes);
  return draft.as("fused queries, keys and values", () => {
    const counts = [heads, groups, groups];
    const both = linear(
      draft,
      x,
      counts.reduce((sum, count) => sum + count * size, 0),
    );
    return parted(
      draft,
      both,
      counts.map((count) => count * size),
    ).map((part, at) => apart(draft, part, counts[at] as number, sizes, x)) as [string, string, string];
  });
}

/** Parts of the last axis, by Split or Slice. */
function parted(draft: Draft, x: string, sizes: readonly number[]): readonly string[] {
  if (draft.chance(0.6))
    return draft.graph.emitAll("Split", [x, draft.vector(sizes)], sizes.length, { axis: int(-1) });
  let start = 0;
  return sizes.map((size) => {
    const [from, to] = [draft.vector([start]), draft.vector([start + size])];
    start += size;
    return draft.emit("Slice", [x, from, to, draft.vector([-1])]);
  });
}

/** One weight, whose units are folded as [3, heads, size] (or [heads, 3, size]), and its three slices. */
function fusedByAxis(
  draft: Draft,
  x: string,
  { batch, positions, heads, size }: Heads,
): readonly [string, string, string] {
  return draft.as("queries, keys and values on an axis", () => {
    const both = linear(draft, x, 3 * heads * size);
    const inner = draft.chance(0.3);
    const folded = reshape(draft, both, [batch, positions, ...(inner ? [heads, 3] : [3, heads]), size], x);
    const perm = inner ? [3, 0, 2, 1, 4] : [2, 0, 3, 1, 4];
    const turned = draft.emit("Transpose", [folded], { perm: ints(perm) });
    if (draft.chance(0.5)) {
      const parts = draft.graph.emitAll("Split", [turned], 3, { axis: int(0), num_outputs: int(3) });
      return parts.map((part) => draft.emit("Squeeze", [part, draft.vector([0])])) as [
        string,
        string,
        string,
      ];
    }
    const take = (at: number) => draft.emit("Gather", [turned, draft.integer(at)], { axis: int(0) });
    return [take(0), take(1), take(2)];
  });
}

/** [batch, positions, count·size] as [batch, count, positions, size]. */
function apart(
  draft: Draft,
  x: string,
  count: number,
  { batch, positions, size }: Heads,
  source: string,
): string {
  const folded = reshape(draft, x, [batch, positions, count, size], source);
  return draft.emit("Transpose", [folded], { perm: ints([0, 2, 1, 3]) });
}

/** Rotates the halves into each other: x·cos + (-x₂, x₁)·sin. */
function rotary(draft: Draft, x: string, { size, positions }: Heads): string {
  const half = size / 2;
  const dims = typeof positions === "number" ? [positions, size] : [1, size];
  const angles = draft.weights([dims[0] as number, half]).data;
  const table = (of: (angle: number) => number) =>
    draft.own(
      float32(
        dims,
        Array.from({ length: (dims[0] as number) * size }, (_, at) =>
          of(angles[Math.floor(at / size) * half + (at % half)] as number),
        ),
      ),
    );
  const [first, second] = parted(draft, x, [half, half]) as [string, string];
  const turned = draft.emit("Concat", [draft.emit("Neg", [second]), first], { axis: int(-1) });
  const whole = (of: (angle: number) => number) => (draft.exact ? Math.sign : of);
  const along = draft.emit("Mul", [x, table(whole(Math.cos))]);
  return draft.emit("Add", [along, draft.emit("Mul", [turned, table(whole(Math.sin))])]);
}

/** Keys or values of each group, for every head of it: [batch, groups, ...] to [batch, heads, ...]. */
function spread(
  draft: Draft,
  x: string,
  { batch, positions, heads, groups, size }: Heads,
  source: string,
): string {
  return draft.as("grouped queries", () => {
    const each = heads / groups;
    const apart = draft.emit("Unsqueeze", [x, draft.vector([2])]);
    const wide = [batch, groups, each, positions, size];
    const numbers = wide.every((dim) => typeof dim === "number") && draft.chance(0.5);
    const target = numbers
      ? draft.vector(wide as number[])
      : draft.chance(0.5)
        ? draft.vector([1, 1, each, 1, 1])
        : computedShape(draft, wide, source);
    const stretched = draft.emit("Expand", [apart, target]);
    return reshape(draft, stretched, [batch, heads, positions, size], source);
  });
}

function computedShape(draft: Draft, sizes: readonly Dim[], source: string): string {
  const shape = draft.emit("Shape", [source]);
  const parts = sizes.map((size) => {
    if (typeof size === "number") return draft.vector([size]);
    const one = draft.emit("Gather", [shape, draft.integer(draft.shape(source).indexOf(size))], {
      axis: int(0),
    });
    return draft.emit("Unsqueeze", [one, draft.vector([0])]);
  });
  return draft.emit("Concat", parts, { axis: int(0) });
}

/** softmax(q·kᵀ·scale + mask)·v; without the softmax in exact arithmetic. */
function attend(draft: Draft, q: string, k: string, v: string, { positions, size }: Heads): string {
  const turned = draft.emit("Transpose", [k], { perm: ints([0, 1, 3, 2]) });
  const [queries, keys] = [settled(draft, q), settled(draft, turned)];
  const scores = scaled(draft, queries, keys, size);
  if (draft.exact)
    return draft.emit("MatMul", [settled(draft, draft.emit("Relu", [scores])), settled(draft, v)]);
  return draft.emit("MatMul", [
    draft.emit("Softmax", [maskedScores(draft, scores, positions)], { axis: int(-1) }),
    v,
  ]);
}

function scaled(draft: Draft, q: string, k: string, size: number): string {
  const product = () => draft.emit("MatMul", [q, k]);
  const summed = () =>
    draft.as("Einsum of queries and keys", () =>
      draft.emit("Einsum", [q, k], { equation: text("bhqd,bhdk->bhqk") }),
    );
  if (draft.exact) return draft.emit("Mul", [product(), draft.scalar(0.5)]);
  switch (draft.pick(["constant", "constant", "divisor", "queries", "size", "both", "sum"])) {
    case "divisor":
      return draft.emit("Div", [product(), draft.scalar(Math.sqrt(size))]);
    case "queries":
      return draft.emit("MatMul", [draft.emit("Mul", [q, draft.scalar(1 / Math.sqrt(size))]), k]);
    case "both":
      return draft.emit(
        "MatMul",
        [q, k].map((factor) => draft.emit("Mul", [factor, draft.scalar(size ** -0.25)])),
      );
    case "sum":
      return draft.emit("Div", [summed(), draft.scalar(Math.sqrt(size))]);
    case "size":
      return draft.as("scale from a size", () => {
        const last = draft.emit("Gather", [draft.emit("Shape", [q]), draft.integer(-1)], { axis: int(0) });
        return draft.emit("Div", [
          product(),
          draft.emit("Sqrt", [draft.emit("Cast", [last], { to: int(1) })]),
        ]);
      });
    default:
      return draft.emit("Mul", [product(), draft.scalar(1 / Math.sqrt(size))]);
  }
}

/** The scores unchanged, or with those of later positions masked. */
function maskedScores(draft: Draft, scores: string, positions: Dim): string {
  if (typeof positions !== "number" || draft.chance(0.5)) return scores;
  return draft.as("attention mask", () => {
    const open = Array.from(
      { length: positions ** 2 },
      (_, at) => at % positions <= Math.floor(at / positions),
    );
    if (draft.chance(0.5)) {
      const mask = float32(
        [1, 1, positions, positions],
        open.map((seen) => (seen ? 0 : -1e4)),
      );
      return draft.emit("Add", [scores, draft.own(mask)]);
    }
    const mask = draft.own({
      dtype: "bool",
      dims: [positions, positions],
      data: Uint8Array.from(open, Number),
    });
    return draft.emit("Where", [mask, scores, draft.scalar(-1e4)]);
  });
}
