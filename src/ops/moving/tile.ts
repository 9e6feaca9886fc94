import { multiplyDims } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import { input, output, tie } from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { moved } from "../rules/contents.ts";
import { shapeOf } from "../rules/gradient.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { sizesOf, unknownSize } from "../rules/sizes.ts";

/** The tensor repeated along each axis. ONNX Tile-13. */
export const tile: Operator = {
  infer(call) {
    const { dtype, shape } = call.input(0);
    const repeats = sizesOf(call, 1);
    return [
      {
        dtype,
        shape: shape.map((dim, axis) =>
          repeats === undefined ? unknownSize(call, axis) : multiplyDims(dim, repeats[axis] ?? 1),
        ),
      },
    ];
  },
  gradient(call) {
    const { graph } = call;
    const rank = call.rank(0);
    if (rank === 0) return [call.upstream];
    // [r₀·d₀, r₁·d₁, …] viewed as [r₀, d₀, r₁, d₁, …], summed over the repeats.
    const second = graph.vector([1]);
    const pairs = [call.node.inputs[1] as string, shapeOf(call, call.node.inputs[0] as string)].map((sizes) =>
      graph.emit("Unsqueeze", [sizes, second]),
    );
    const interleaved = graph.emit("Reshape", [
      graph.emit("Concat", pairs, { axis: int(1) }),
      graph.vector([-1]),
    ]);
    const repeats = graph.vector(Array.from({ length: rank }, (_, axis) => 2 * axis));
    return [
      graph.emit("ReduceSum", [graph.emit("Reshape", [call.upstream, interleaved]), repeats], {
        keepdims: int(0),
      }),
    ];
  },
  axes(call) {
    const repeats = sizesOf(call, 1);
    const axes = call.shape(0).map((_, axis) => axis);
    const once = (axis: number) => repeats?.[axis] === 1;
    return {
      contents: moved,
      ties: axes.filter(once).map((axis) => tie(input(0, axis), output(axis))),
      blocked: axes
        .filter((axis) => !once(axis))
        .map((axis) => ({ at: input(0, axis), reason: "Tile repeats it" })),
    };
  },
  interval: keepsInterval,
  rounding: movedBound,
  flops: () => 0,
};
