import { float, int, text } from "../../../src/graph/model.ts";
import { makeTensor, type Tensor } from "../../../src/tensor/tensor.ts";
import type { Draft } from "./draft.ts";
import { reshape } from "./reshaping.ts";

/** A weight of these dims, through one of the nodes that exporters put after a parameter. */
export function weight(draft: Draft, dims: readonly number[], fanIn: number): string {
  const rank = dims.length;
  switch (
    draft.pick([
      "plain",
      "plain",
      "plain",
      "plain",
      "transposed",
      "cast",
      "identity",
      "constant",
      "scaled",
      "added",
    ])
  ) {
    case "transposed": {
      if (rank !== 2) break;
      return draft.as("weight behind Transpose", () => {
        const name = draft.parameter("weight", draft.weights([...dims].reverse(), fanIn));
        return draft.emit(
          "Transpose",
          [name],
          draft.chance(0.5) ? {} : { perm: { kind: "ints", value: [1, 0] } },
        );
      });
    }
    case "cast":
      return draft.as("weight behind Cast", () => {
        const data = Float64Array.from(draft.weights(dims, fanIn).data);
        const name = draft.parameter("weight", makeTensor("float64", dims, data));
        return draft.emit("Cast", [name], { to: int(1) });
      });
    case "identity":
      return draft.as("weight behind Identity", () =>
        draft.emit("Identity", [draft.parameter("weight", draft.weights(dims, fanIn))]),
      );
    case "constant":
      return draft.as("weight as Constant", () => constant(draft, draft.weights(dims, fanIn)));
    case "scaled":
      return draft.as("weight times scale", () => {
        const scale = draft.own(
          draft.positive(draft.pick([[], dims.map((size, at) => (at === 0 ? size : 1))])),
        );
        return draft.emit("Mul", [draft.parameter("weight", draft.weights(dims, fanIn)), scale]);
      });
    case "added": {
      if (rank !== 2 || draft.exact) break;
      return draft.as("low-rank adapter", () => {
        const inner = draft.size();
        const [a, b] = [
          draft.weights([dims[0] as number, inner], fanIn),
          draft.weights([inner, dims[1] as number], inner),
        ];
        const low = draft.emit("MatMul", [draft.parameter("weight", a), draft.parameter("weight", b)]);
        return draft.emit("Add", [draft.parameter("weight", draft.weights(dims, fanIn)), low]);
      });
    }
  }
  return draft.parameter("weight", draft.weights(dims, fanIn));
}

export function constant(draft: Draft, tensor: Tensor): string {
  return draft.emit("Constant", [], { value: { kind: "tensor", value: tensor } });
}

/** A bias in one of the shapes that broadcast over [..., units]. */
function bias(draft: Draft, units: number): string {
  const dims = draft.pick([[units], [units], [units], [1, units], [1]]);
  const tensor = draft.weights(dims, 4);
  if (dims.length === 1 && dims[0] === units) return draft.parameter("bias", tensor);
  return draft.as(dims.at(-1) === 1 ? "bias for all units" : "bias of rank 2", () => draft.own(tensor));
}

/** x · W + b over the last axis, [..., C] to [..., units]. */
export function linear(draft: Draft, x: string, units: number): string {
  const { length: rank } = draft.shape(x);
  if (rank === 2 && draft.chance(0.6)) return draft.as("Gemm", () => gemm(draft, x, units));
  if (rank === 3 && draft.chance(0.15)) {
    return draft.as("Gemm over flattened positions", () => {
      const shape = draft.shape(x);
      const flat = draft.emit("Reshape", [x, draft.vector([-1, draft.width(x)])]);
      return reshape(draft, gemm(draft, flat, units), [...shape.slice(0, -1), units], x);
    });
  }
  return draft.as("MatMul and Add", () => {
    const fanIn = draft.width(x);
    const product = draft.chance(0.15)
      ? einsum(draft, x, units)
      : draft.emit("MatMul", [x, weight(draft, [fanIn, units], fanIn)]);
    if (draft.chance(0.25)) return draft.as("no bias", () => draft.emit("Identity", [product]));
    const terms = [product, bias(draft, units)];
    return draft.emit("Add", draft.chance(0.3) ? terms.reverse() : terms);
  });
}

function einsum(draft: Draft, x: string, units: number): string {
  const fanIn = draft.width(x);
  const [letters, turned] = [draft.shape(x).length === 2 ? "b" : "bs", draft.chance(0.5)];
  const kernel = weight(draft, turned ? [units, fanIn] : [fanIn, units], fanIn);
  const equation = text(`${letters}c,${turned ? "uc" : "cu"}->${letters}u`);
  return draft.as("Einsum", () => draft.emit("Einsum", [x, kernel], { equation }));
}

function gemm(draft: Draft, x: string, units: number): string {
  const fanIn = draft.width(x);
  const [transA, transB] = [draft.chance(0.2), draft.chance(0.6)];
  const a = transA ? draft.as("Gemm transA", () => draft.emit("Transpose", [x])) : x;
  const b = weight(draft, transB ? [units, fanIn] : [fanIn, units], fanIn);
  const scaled = draft.chance(0.2);
  const attributes = {
    ...(transA ? { transA: int(1) } : {}),
    ...(transB ? { transB: int(1) } : {}),
    ...(scaled ? { alpha: float(0.5), beta: float(2) } : {}),
  };
  const make = () => draft.emit("Gemm", draft.chance(0.2) ? [a, b] : [a, b, bias(draft, units)], attributes);
  return scaled ? draft.as("Gemm alpha and beta", make) : make();
}

/** Small whole numbers, from which exact arithmetic starts every piece. */
export function settled(draft: Draft, x: string): string {
  return draft.exact ? draft.emit("Clip", [x, draft.scalar(-4), draft.scalar(4)]) : x;
}
