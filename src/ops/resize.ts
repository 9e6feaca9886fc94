import { type Dim, multiplyDims } from "../graph/dim.ts";
import { int, ints } from "../graph/model.ts";
import { toNumbers } from "../tensor/tensor.ts";
import { addBounds, magnitude, movedBound, scaleBound, unitRoundoff } from "./bounds.ts";
import { output } from "./flow.ts";
import { moved } from "./fresh.ts";
import type { Call, Operator } from "./operator.ts";
import { poolFlow } from "./pool.ts";
import { sizesOf, unknownSize } from "./sizes.ts";

/** A size times a scale, rounded down. */
function scaled(call: Call, size: Dim, scale: number, axis: number): Dim {
  if (typeof size === "number") return Math.floor(size * scale);
  return Number.isInteger(scale) ? multiplyDims(size, scale) : unknownSize(call, axis);
}

/** Output sizes: those given, or the input's times the scales. */
function sizes(call: Call): readonly Dim[] {
  const shape = call.shape(0);
  if (call.ints("axes") !== undefined)
    call.fail("only resizing over all axes is supported", call.ints("axes"));
  const scales = call.constant(2);
  const result =
    scales === undefined
      ? sizesOf(call, 3)
      : toNumbers(scales).map((scale, axis) => scaled(call, shape[axis] ?? 1, scale, axis));
  if (result?.length !== shape.length)
    call.fail("needs known scales or sizes for all axes", call.node.inputs);
  return result;
}

function modeOf(call: Call): readonly string[] {
  return [
    call.string("mode", "nearest"),
    call.string("coordinate_transformation_mode", "half_pixel"),
    call.string("nearest_mode", "round_prefer_floor"),
  ];
}

/** Whether elements are only repeated. */
function isRepeat(call: Call): boolean {
  return modeOf(call).join() === "nearest,asymmetric,floor";
}

/** How often each element is repeated on each spatial axis. Throws where that is not a known whole number. */
function factors(call: Call): number[] {
  const shape = call.shape(0);
  if (!isRepeat(call)) call.fail("only nearest, asymmetric, floor resizing has a gradient", modeOf(call));
  return sizes(call)
    .slice(2)
    .map((size, axis) => {
      const factor = Number(size) / Number(shape[axis + 2]);
      if (!Number.isInteger(factor)) call.fail("a gradient needs whole, known factors", [shape, sizes(call)]);
      return factor;
    });
}

/** Stretches the spatial axes of [N, C, ...]; with a gradient where elements are only repeated. ONNX Resize-18. */
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

  flow: (call) => ({
    ...poolFlow(call, moved),
    // Sizes name the channels too.
    written: call.has(3) ? [{ at: output(1), place: { input: 3, element: 1 } }] : [],
  }),
  rounding(call) {
    const moved = movedBound(call);
    if (isRepeat(call) || call.string("mode", "nearest") === "nearest") return moved;
    if (call.string("mode", "nearest") !== "linear")
      call.fail("has a rounding bound for nearest and linear only", modeOf(call));
    // Weights between 0 and 1 that add up to 1, each product and sum rounded.
    const size = call.graph.emit(
      "Resize",
      [magnitude(call, call.node.inputs[0] as string), ...call.node.inputs.slice(1)],
      call.node.attributes,
    );
    return addBounds(call, moved, scaleBound(call, size, 32 * unitRoundoff));
  },
};
