import type { Shape } from "../../graph/dim.ts";
import { addDims, multiplyDims, productOfDims } from "../../graph/dim.ts";
import { input, output } from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { elementwise } from "../rules/contents.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { sizesOf } from "../rules/sizes.ts";
import { windowOf } from "./window.ts";

/**
 * [N, C, ...]: the shape given, else the smallest input on which windows of this kind have these positions.
 */
function target(call: Call): Shape {
  const [batch = 1, channels = 1, ...positions] = call.shape(0);
  const asked = sizesOf(call, 2);
  if (asked !== undefined) return asked;
  if (call.has(2)) call.unruled("output_shape must be known", call.node.inputs[2]);
  const kernel = call.ints("kernel_shape") ?? call.fail("kernel_shape is required", undefined);
  const { strides, begin, end } = windowOf(call, kernel, positions);
  const sizes = positions.map((size, axis) => {
    const [window, stride] = [kernel[axis] as number, strides[axis] as number];
    const less = stride + (begin[axis] as number) + (end[axis] as number);
    return addDims(multiplyDims(size, stride), window - less);
  });
  return [batch, channels, ...sizes];
}

/**
 * Zeros, except for each element of X [N, C, positions] at the place that I, of the same shape, gives: its
 * index in the flattened (row-major) output, as MaxPool returns it. ONNX MaxUnpool-11.
 */
export const maxUnpool: Operator = {
  infer(call) {
    const { dtype, shape } = call.input(0);
    const at = call.shape(1);
    if (shape.length !== at.length || shape.length < 3) {
      call.fail("X and I must have the same shape, of at least 3 axes", [shape, at]);
    }
    return [{ dtype, shape: target(call) }];
  },
  gradient(call) {
    const { graph } = call;
    const flat = graph.emit("Reshape", [call.upstream, graph.vector([-1])]);
    return [graph.emit("Gather", [flat, call.node.inputs[1] as string])];
  },
  axes(call) {
    const reason = "MaxUnpool numbers the elements of all axes together";
    const blocked = call.shape(0).flatMap((_, axis) => [
      { at: input(0, axis), reason },
      { at: input(1, axis), reason },
      { at: output(axis), reason },
    ]);
    return { ties: [], blocked, contents: elementwise };
  },
  positions: (call) => [{ input: 1, size: productOfDims(call.output(0).shape) }],
  rounding: movedBound,
  flops: () => 0,
};
