import { type Dim, multiplyDims } from "../graph/dim.ts";
import { int, ints } from "../graph/model.ts";
import { toNumbers } from "../tensor/tensor.ts";
import { movedBound } from "./bounds.ts";
import { moved } from "./fresh.ts";
import type { Call, Operator } from "./operator.ts";
import { poolFlow } from "./pool.ts";
import { sizesOf } from "./sizes.ts";

/** Output sizes: those given, or the input's times the scales. */
function sizes(call: Call): readonly Dim[] {
  const shape = call.shape(0);
  const mode = [
    call.string("mode", "nearest"),
    call.string("coordinate_transformation_mode", "half_pixel"),
    call.string("nearest_mode", "round_prefer_floor"),
  ];
  if (mode.join() !== "nearest,asymmetric,floor" || call.ints("axes") !== undefined) {
    call.fail("only nearest, asymmetric, floor resizing over all axes is supported", mode);
  }
  const scales = call.constant(2);
  const result =
    scales === undefined
      ? sizesOf(call, 3)
      : toNumbers(scales).map((scale, axis) => multiplyDims(shape[axis] ?? 1, scale));
  if (result?.length !== shape.length)
    call.fail("needs known scales or sizes for all axes", call.node.inputs);
  return result;
}

/** How often each element is repeated on each spatial axis. Throws where that is not a known whole number. */
function factors(call: Call): number[] {
  const shape = call.shape(0);
  return sizes(call)
    .slice(2)
    .map((size, axis) => {
      const factor = Number(size) / Number(shape[axis + 2]);
      if (!Number.isInteger(factor)) call.fail("a gradient needs whole, known factors", [shape, sizes(call)]);
      return factor;
    });
}

/** Repeats elements along the spatial axes of [N, C, ...]: nearest, asymmetric, floor. ONNX Resize-18. */
export const resize: Operator = {
  infer: (call) => [{ dtype: call.input(0).dtype, shape: sizes(call) }],

  gradient(call) {
    const kernel = factors(call);
    const mean = call.graph.emit("AveragePool", [call.upstream], {
      kernel_shape: ints(kernel),
      strides: ints(kernel),
      count_include_pad: int(0),
    });
    const taps = kernel.reduce((product, factor) => product * factor, 1);
    return [call.graph.emit("Mul", [mean, call.graph.scalar(taps)])];
  },

  flow: (call) => poolFlow(call, moved),
  rounding: movedBound,
};
