import type { Dim, Shape } from "../../graph/dim.ts";
import { productOfDims } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import { input, output, type Role, type Tie, tie } from "../rules/axis-rule.ts";
import { addBounds, magnitude, sumRoundoff } from "../rules/bounds.ts";
import { broadcastShapes } from "../rules/broadcast.ts";
import { multiplied } from "../rules/contents.ts";
import { transpose, unbroadcastTo } from "../rules/gradient.ts";
import type { Call, GradientCall, Operator } from "../rules/operator.ts";

/** M: rows of A, K: summed over, N: columns of B; `batch`: the leading axes. M or N is undefined for a vector. */
function parts(call: Call) {
  const a = call.shape(0);
  const b = call.shape(1);
  return {
    a,
    b,
    m: a.length > 1 ? a[a.length - 2] : undefined,
    n: b.length > 1 ? b[b.length - 1] : undefined,
    batchA: a.slice(0, -2),
    batchB: b.slice(0, -2),
    /** The axis of each operand that is summed over. */
    ka: a.length - 1,
    kb: Math.max(0, b.length - 2),
  };
}

/** Gradients if both operands are matrices, or A has batch axes and B, a weight, has none: one Gemm each. */
function plainGradient(call: GradientCall): readonly (string | undefined)[] {
  const { graph } = call;
  const [a, b] = call.node.inputs as [string, string];
  const { a: shapeA, b: shapeB } = parts(call);
  const flatten = (name: string, last: Dim | undefined, axis: number) => {
    if (shapeA.length === 2) return name;
    const columns =
      typeof last === "number"
        ? graph.vector([-1, last])
        : graph.emit(
            "Concat",
            [graph.vector([-1]), graph.emit("Shape", [name], { start: int(axis), end: int(axis + 1) })],
            { axis: int(0) },
          );
    return graph.emit("Reshape", [name, columns]);
  };
  const fromA = () =>
    shapeA.length === 2
      ? graph.emit("Gemm", [call.upstream, b], { transB: int(1) })
      : graph.emit("MatMul", [call.upstream, transpose(call, b, [1, 0])]);
  const fromB = () => {
    const rows = flatten(a, shapeB[0], shapeA.length - 1);
    return graph.emit("Gemm", [rows, flatten(call.upstream, shapeB[1], shapeA.length - 1)], {
      transA: int(1),
    });
  };
  return [call.wants(0) ? fromA() : undefined, call.wants(1) ? fromB() : undefined];
}

/** Gradients in general: vectors become matrices, and broadcast batch axes are summed over. */
function batchedGradient(call: GradientCall): readonly (string | undefined)[] {
  const { graph } = call;
  const [a, b] = call.node.inputs as [string, string];
  const { a: shapeA, b: shapeB, m, n } = parts(call);
  const unsqueeze = (name: string, axis: number) => graph.emit("Unsqueeze", [name, graph.vector([axis])]);
  const squeeze = (name: string, axis: number) => graph.emit("Squeeze", [name, graph.vector([axis])]);
  const left = m === undefined ? unsqueeze(a, 0) : a;
  const right = n === undefined ? unsqueeze(b, 1) : b;
  const matrixA: Shape = m === undefined ? [1, ...shapeA] : shapeA;
  const matrixB: Shape = n === undefined ? [...shapeB, 1] : shapeB;
  let upstream = call.upstream;
  if (n === undefined) upstream = unsqueeze(upstream, -1);
  if (m === undefined) upstream = unsqueeze(upstream, -2);
  const swap = (name: string, rank: number) =>
    transpose(
      call,
      name,
      Array.from({ length: rank }, (_, axis) =>
        axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis,
      ),
    );
  const fromA = () => {
    const full = graph.emit("MatMul", [upstream, swap(right, matrixB.length)]);
    const sum = unbroadcastTo(call, full, matrixA);
    return m === undefined ? squeeze(sum, 0) : sum;
  };
  const fromB = () => {
    const full = graph.emit("MatMul", [swap(left, matrixA.length), upstream]);
    const sum = unbroadcastTo(call, full, matrixB);
    return n === undefined ? squeeze(sum, 1) : sum;
  };
  return [call.wants(0) ? fromA() : undefined, call.wants(1) ? fromB() : undefined];
}

/** Y = A·B over the last two axes, leading axes broadcast, vectors as in NumPy. ONNX MatMul-13. */
export const matMul: Operator = {
  infer(call) {
    const { a, b, m, n, batchA, batchB, ka, kb } = parts(call);
    if (a.length === 0 || b.length === 0) call.fail("A and B must have at least one axis", [a, b]);
    const [k, kOfB] = [a[ka], b[kb]];
    if (typeof k === "number" && typeof kOfB === "number" && k !== kOfB) {
      call.fail("A and B must agree on the axis that is summed over", [a, b]);
    }
    const shape = [...broadcastShapes(call, [batchA, batchB]), m, n].filter((dim) => dim !== undefined);
    return [{ dtype: call.input(0).dtype, shape }];
  },

  gradient(call) {
    const { a, b } = parts(call);
    return a.length >= 2 && b.length === 2 ? plainGradient(call) : batchedGradient(call);
  },

  axes(call) {
    const { a, b, m, n, batchA, batchB, ka, kb } = parts(call);
    const batchRank = Math.max(batchA.length, batchB.length);
    const ties: Tie[] = [tie(input(0, ka), input(1, kb))];
    const roles: { at: ReturnType<typeof input>; role: Role }[] = [
      { at: input(0, ka), role: "outgoing" },
      { at: input(1, kb), role: "outgoing" },
    ];
    const carry = (index: number, axis: number, out: number) => {
      ties.push(tie(input(index, axis), output(out)));
      roles.push({ at: input(index, axis), role: "incoming" });
    };
    if (m !== undefined) carry(0, a.length - 2, batchRank);
    if (n !== undefined) carry(1, b.length - 1, batchRank + (m === undefined ? 0 : 1));
    for (const [index, batch] of [batchA, batchB].entries()) {
      const lead = batchRank - batch.length;
      batch.forEach((dim, axis) => {
        if (dim !== 1 || call.output(0).shape[axis + lead] === 1) carry(index, axis, axis + lead);
      });
    }
    return { ties, roles, contents: multiplied };
  },

  rounding(call) {
    const [a, b] = call.node.inputs as [string, string];
    const [boundA, boundB] = call.inputBounds;
    const product = (left: string, right: string) => call.graph.emit("MatMul", [left, right]);
    // (γ·|A| + δA)·|B| + (|A| + δA)·δB
    const size = magnitude(call, a);
    const own = call.graph.emit("Mul", [size, sumRoundoff(call, a, [parts(call).ka])]);
    const left = addBounds(call, own, boundA) as string;
    const fromB = boundB === undefined ? undefined : product(addBounds(call, size, boundA) as string, boundB);
    return addBounds(call, product(left, magnitude(call, b)), fromB);
  },

  unfold(call) {
    const { a, b } = parts(call);
    if (a.length < 2 || b.length !== 2)
      call.unruled("can be unfolded only with a weight of two axes", [a, b]);
    const { graph } = call;
    const rowsOf = (value: string) => {
      if (a.length === 2) return value;
      const width = graph.emit("Shape", [value], { start: int(-1) });
      return graph.emit("Reshape", [
        value,
        graph.emit("Concat", [graph.vector([-1]), width], { axis: int(0) }),
      ]);
    };
    return { rows: rowsOf(call.node.inputs[0] as string), fanInLast: false, outputRows: rowsOf };
  },

  flops(call) {
    const { a, ka } = parts(call);
    return productOfDims([2, a[ka] ?? 1, ...call.output(0).shape]);
  },
};
