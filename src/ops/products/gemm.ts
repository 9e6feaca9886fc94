import { productOfDims } from "../../graph/dim.ts";
import { float, int, ints } from "../../graph/model.ts";
import { input, output, tie } from "../rules/axis-rule.ts";
import {
  addBounds,
  magnitude,
  relativeBound,
  scaleBound,
  sumRoundoff,
  unitRoundoff,
} from "../rules/bounds.ts";
import { affine } from "../rules/contents.ts";
import { unbroadcast } from "../rules/gradient.ts";
import type { Call, Operator } from "../rules/operator.ts";

/** M: rows, K: summed over, N: columns; as [axis of A, axis of B]. */
function axes(call: Call) {
  const transA = call.int("transA", 0) !== 0;
  const transB = call.int("transB", 0) !== 0;
  return { transA, transB, m: transA ? 1 : 0, ka: transA ? 0 : 1, kb: transB ? 1 : 0, n: transB ? 0 : 1 };
}

/** Y = α·A·B + β·C, with A and B optionally transposed. ONNX Gemm-13. */
export const gemm: Operator = {
  bias: { input: 2, size: (call, dims) => dims[axes(call).n] ?? 1 },
  infer(call) {
    const { m, ka, kb, n } = axes(call);
    const a = call.shape(0);
    const b = call.shape(1);
    if (a.length !== 2 || b.length !== 2) call.fail("A and B must have two axes", [a, b]);
    const [k, kOfB] = [a[ka], b[kb]];
    if (typeof k === "number" && typeof kOfB === "number" && k !== kOfB) {
      call.fail("A and B must agree on the axis that is summed over", [a, b]);
    }
    return [{ dtype: call.input(0).dtype, shape: [a[m] ?? 1, b[n] ?? 1] }];
  },

  gradient(call) {
    const { transA, transB } = axes(call);
    const [a, b] = call.node.inputs as [string, string];
    const alpha = float(call.float("alpha", 1));
    const beta = call.float("beta", 1);
    const dY = call.upstream;
    const product = (left: string, leftT: boolean, right: string, rightT: boolean) =>
      call.graph.emit("Gemm", [left, right], {
        alpha,
        transA: int(Number(leftT)),
        transB: int(Number(rightT)),
      });
    const dA = () => (transA ? product(b, transB, dY, true) : product(dY, false, b, !transB));
    const dB = () => (transB ? product(dY, true, a, transA) : product(a, !transA, dY, false));
    const dC = () => {
      const scaled = beta === 1 ? dY : call.graph.emit("Mul", [dY, call.graph.scalar(beta)]);
      return unbroadcast(call, scaled, 2);
    };
    return [
      call.wants(0) ? dA() : undefined,
      call.wants(1) ? dB() : undefined,
      call.has(2) && call.wants(2) ? dC() : undefined,
    ];
  },

  axes(call) {
    const { m, ka, kb, n } = axes(call);
    const bias = call.has(2) ? call.shape(2) : [];
    const lead = 2 - bias.length;
    const biasTies = bias.flatMap((dim, axis) =>
      dim === 1 && call.output(0).shape[axis + lead] !== 1 ? [] : [tie(input(2, axis), output(axis + lead))],
    );
    return {
      ties: [
        tie(input(0, m), output(0)),
        tie(input(1, n), output(1)),
        tie(input(0, ka), input(1, kb)),
        ...biasTies,
      ],
      roles: [
        { at: input(0, m), role: "incoming" },
        { at: input(0, ka), role: "outgoing" },
        { at: input(1, n), role: "incoming" },
        { at: input(1, kb), role: "outgoing" },
        ...biasTies.map(({ a }) => ({ at: a, role: "shift" as const })),
      ],
      contents: affine(call.has(2)),
    };
  },

  rounding(call) {
    const { transA, transB, ka } = axes(call);
    const [a, b] = call.node.inputs as [string, string];
    const [boundA, boundB, boundC] = call.inputBounds;
    const alpha = Math.abs(call.float("alpha", 1));
    const product = (left: string, right: string) =>
      call.graph.emit("Gemm", [left, right], {
        alpha: float(alpha),
        transA: int(Number(transA)),
        transB: int(Number(transB)),
      });
    const beta = Math.abs(call.float("beta", 1));
    const roundoff = sumRoundoff(call, a, [ka]);
    // (γ·|A| + δA)·|B| + (|A| + δA)·δB, and the same for C, which the kernel may add first or in between.
    const size = magnitude(call, a);
    const own = call.graph.emit("Mul", [size, roundoff]);
    const left = addBounds(call, own, boundA) as string;
    const fromB = boundB === undefined ? undefined : product(addBounds(call, size, boundA) as string, boundB);
    const last = relativeBound(call, call.node.outputs[0] as string, 2 * unitRoundoff);
    const fromC = () => {
      const c = call.graph.emit("Mul", [magnitude(call, call.node.inputs[2] as string), roundoff]);
      return scaleBound(call, addBounds(call, c, boundC), beta);
    };
    return addBounds(call, product(left, magnitude(call, b)), fromB, call.has(2) ? fromC() : undefined, last);
  },

  unfold(call) {
    const { transA, transB } = axes(call);
    const [a] = call.node.inputs as [string];
    const rows = transA ? call.graph.emit("Transpose", [a], { perm: ints([1, 0]) }) : a;
    const alpha = call.float("alpha", 1);
    const scaled = alpha === 1 ? rows : call.graph.emit("Mul", [rows, call.graph.scalar(alpha)]);
    return { rows: scaled, fanInLast: transB, outputRows: (value) => value };
  },

  flops(call) {
    const { ka } = axes(call);
    return productOfDims([2, call.shape(0)[ka] ?? 1, ...call.output(0).shape]);
  },
};
