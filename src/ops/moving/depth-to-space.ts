import type { Dim } from "../../graph/dim.ts";
import { divideDims, multiplyDims } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import { input, output } from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { transpose } from "../rules/gradient.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { GradientCall, Operator } from "../rules/operator.ts";
import { blockSize, flowDepth, placesLast } from "./depth.ts";

/** The gradient: the inverse permutation, applied to the upstream gradient. */
function moveBack(call: GradientCall): string {
  const { graph } = call;
  const block = blockSize(call);
  if (!placesLast(call)) return graph.emit("SpaceToDepth", [call.upstream], { blocksize: int(block) });
  // [N, C, H·r, W·r] as [N, C, H, r, W, r], then both r moved after C.
  const shape = graph.emit("Shape", [call.node.inputs[0] as string]);
  const part = (at: number) => graph.emit("Slice", [shape, graph.vector([at]), graph.vector([at + 1])]);
  const sides = graph.vector([block]);
  const channels = graph.emit("Div", [part(1), graph.vector([block * block])]);
  const six = graph.emit("Concat", [part(0), channels, part(2), sides, part(3), sides], { axis: int(0) });
  const turned = transpose(call, graph.emit("Reshape", [call.upstream, six]), [0, 1, 3, 5, 2, 4]);
  return graph.emit("Reshape", [turned, shape]);
}

/** Moves channels into blocks in space, [N, C·r·r, H, W] to [N, C, H·r, W·r] (pixel shuffle). ONNX DepthToSpace-13. */
export const depthToSpace: Operator = {
  infer(call) {
    const block = blockSize(call);
    const { dtype, shape } = call.input(0);
    const [batch, channels, height, width] = shape as [Dim, Dim, Dim, Dim];
    const left = divideDims(channels, block * block);
    if (left === undefined) return call.fail("its channels must be a multiple of blocksize²", shape);
    return [{ dtype, shape: [batch, left, multiplyDims(height, block), multiplyDims(width, block)] }];
  },
  gradient: (call) => [moveBack(call)],
  axes: (call) => flowDepth(call, input(0, 1), output(1), call.output(0).shape[1] as Dim),
  interval: keepsInterval,
  rounding: movedBound,
  flops: () => 0,
};
