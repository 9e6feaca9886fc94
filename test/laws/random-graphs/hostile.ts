import type { Dim } from "../../../src/graph/dim.ts";
import { int } from "../../../src/graph/model.ts";
import { int64 } from "../../../src/tensor/tensor.ts";
import type { Draft } from "./draft.ts";
import { linear, settled } from "./linear.ts";

const last = { axis: int(-1) };
const over = (draft: Draft) => draft.vector([-1]);

/** Pieces that many widths cannot pass: widths after them that are called growable must really grow. */
export const hostile: Readonly<Record<string, (draft: Draft, x: string) => string>> = {
  "Softmax over the width": (draft, x) => draft.emit(draft.pick(["Softmax", "LogSoftmax"]), [x], last),
  "ArgMax over the width"(draft, x) {
    const best = draft.emit(draft.pick(["ArgMax", "ArgMin"]), [x], { ...last, keepdims: int(1) });
    return draft.emit("Concat", [x, draft.emit("Cast", [best], { to: int(1) })], last);
  },
  "ReduceMax over the width": (draft, x) =>
    draft.emit("Sub", [
      x,
      draft.emit(draft.pick(["ReduceMax", "ReduceMin"]), [x, over(draft)], { keepdims: int(1) }),
    ]),
  "product summed over the width"(draft, x) {
    const [a, b] = [linear(draft, x, draft.width(x)), linear(draft, x, draft.width(x))];
    const product = draft.emit("ReduceSum", [draft.emit("Mul", [a, b]), over(draft)], { keepdims: int(1) });
    return draft.emit("Mul", [x, draft.chance(0.5) ? draft.emit("Neg", [product]) : product]);
  },
  "TopK over the width"(draft, x) {
    const count = 1 + draft.below(draft.width(x));
    return draft.graph.emitAll("TopK", [x, draft.vector([count])], 2, last)[0] as string;
  },
  "unknown operator"(draft, x) {
    const name = `mystery_${draft.graph.nodes.length}`;
    draft.graph.add({
      name,
      op: "Mystery",
      domain: "com.acme",
      inputs: [x],
      outputs: [name],
      attributes: {},
    });
    return name;
  },
  "outer product with itself"(draft, x) {
    const units = draft.width(x);
    const shape = draft.shape(x);
    const [column, row] = [
      draft.emit("Unsqueeze", [x, draft.vector([-1])]),
      draft.emit("Unsqueeze", [x, draft.vector([-2])]),
    ];
    const product = draft.emit("Mul", [column, row]);
    return draft.emit("Reshape", [
      product,
      draft.vector([...shape.slice(0, -1).map(() => 0), units * units]),
    ]);
  },
  "Gather by number over the width"(draft, x) {
    const units = draft.width(x);
    const places = Array.from(
      { length: 1 + draft.below(units) },
      () => draft.below(units) - (draft.chance(0.3) ? units : 0),
    );
    return draft.emit("Gather", [x, draft.own(int64([places.length], places))], last);
  },
  "size in arithmetic"(draft, x) {
    const size = draft.emit("Gather", [draft.emit("Shape", [x]), draft.integer(-1)], { axis: int(0) });
    const real = draft.emit("Cast", [size], { to: int(1) });
    if (draft.exact) return draft.emit("Mul", [x, real]);
    return draft.chance(0.5)
      ? draft.emit("Div", [x, real])
      : draft.emit("Mul", [x, draft.emit("Pow", [real, draft.scalar(-0.5)])]);
  },
  "positions over the width"(draft, x) {
    const size = draft.emit("Gather", [draft.emit("Shape", [x]), draft.integer(-1)], { axis: int(0) });
    const places = draft.emit("Range", [draft.integer(0), size, draft.integer(1)]);
    return draft.emit("Add", [x, draft.emit("Cast", [places], { to: int(1) })]);
  },
  "CumSum over the width": (draft, x) =>
    draft.emit("CumSum", [x, draft.integer(-1)], draft.chance(0.4) ? { reverse: int(1) } : {}),
  "reversed width": (draft, x) =>
    draft.emit("Slice", [
      x,
      draft.vector([-1]),
      draft.vector([-(2 ** 31 - 1)]),
      over(draft),
      draft.vector([-1]),
    ]),
  "every other unit": (draft, x) =>
    draft.emit("Slice", [x, draft.vector([0]), draft.vector([2 ** 31 - 1]), over(draft), draft.vector([2])]),
  "padded width"(draft, x) {
    const zeros = draft.shape(x).map(() => 0);
    const pads = [...zeros.slice(1), draft.below(2), ...zeros.slice(1), 1 + draft.below(2)];
    return draft.emit(
      "Pad",
      draft.chance(0.5) ? [x, draft.vector(pads)] : [x, draft.vector(pads), draft.scalar(1)],
    );
  },
  "ones of the same shape"(draft, x) {
    const ones = draft.emit("ConstantOfShape", [draft.emit("Shape", [x])], {
      value: { kind: "tensor", value: { dtype: "float32", dims: [1], data: Float32Array.of(1) } },
    });
    return draft.emit("Add", [x, ones]);
  },
  "tiled width"(draft, x) {
    const repeats = draft.shape(x).map((_, axis, all) => (axis === all.length - 1 ? 2 : 1));
    return draft.emit("Tile", [x, draft.vector(repeats)]);
  },
  "one output of many": (draft, x) =>
    draft.emit("Slice", [x, draft.vector([0]), draft.vector([1]), over(draft)]),
  "neighbors compared"(draft, x) {
    const units = draft.width(x);
    if (units === 1) return x;
    const cut = (from: number, to: number) =>
      draft.emit("Slice", [x, draft.vector([from]), draft.vector([to]), over(draft)]);
    return draft.emit("Sub", [cut(1, units), cut(0, -1)]);
  },
  "Reshape in the place of Transpose"(draft, x) {
    const shape = draft.shape(x);
    const [rows, units] = [shape.at(-2), shape.at(-1)] as [Dim, number];
    if (shape.length === 2 || typeof rows !== "number") return x;
    const turned = draft.emit("Reshape", [x, draft.vector([0, units, rows])]);
    const mixed = draft.emit("Add", [turned, draft.own(draft.weights([units, 1]))]);
    return draft.emit("Reshape", [mixed, draft.vector([0, rows, -1])]);
  },
  "units against units"(draft, x) {
    const column = draft.emit("Unsqueeze", [x, draft.vector([-1])]);
    const row = draft.emit("Unsqueeze", [linear(draft, x, draft.width(x)), draft.vector([-2])]);
    const gates = draft.emit(draft.exact ? "Relu" : "Sigmoid", [draft.emit("Mul", [column, row])]);
    const met = draft.emit("MatMul", [settled(draft, gates), column]);
    return draft.emit("Squeeze", [met, draft.vector([-1])]);
  },
  "the best unit alone"(draft, x) {
    const best = draft.emit("ArgMax", [x], { ...last, keepdims: int(1) });
    return draft.emit("GatherElements", [x, best], last);
  },
  "everything on one axis"(draft, x) {
    const flat = draft.emit("Reshape", [x, draft.vector([-1])]);
    const turned = draft.emit(draft.pick(["Neg", "Relu"]), [flat]);
    return draft.emit("Reshape", [turned, draft.emit("Shape", [x])]);
  },
  "lower triangle"(draft, x) {
    const below = { upper: int(draft.below(2)) };
    return draft.shape(x).length === 2 ? x : draft.emit("Trilu", [x], below);
  },
};
