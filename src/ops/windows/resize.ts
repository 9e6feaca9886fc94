import { type Dim, multiplyDims } from "../../graph/dim.ts";
import { int, ints, text } from "../../graph/model.ts";
import { input, output } from "../rules/axis-rule.ts";
import { addBounds, magnitude, movedBound, scaleBound, unitRoundoff } from "../rules/bounds.ts";
import { moved } from "../rules/contents.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { realsOf, sizesOf, unknownSize } from "../rules/sizes.ts";
import { poolFlow } from "./pool.ts";
import { resizeBack } from "./resize-gradient.ts";

/** A size times a scale, rounded down. */
function scaled(call: Call, size: Dim, scale: number, axis: number): Dim {
  if (typeof size === "number") return Math.floor(size * scale);
  return Number.isInteger(scale) ? multiplyDims(size, scale) : unknownSize(call, axis);
}

/** The shape of input 0 times `scales`. */
export function scaledShape(call: Call, scales: readonly number[]): readonly Dim[] {
  return call.shape(0).map((size, axis) => scaled(call, size, scales[axis] ?? 1, axis));
}

/**
 * Whether the scales are input 1, as in opset 10; in later opsets input 1 is the region of interest, and
 * others follow.
 */
function takesScalesFirst(call: Call): boolean {
  return call.node.inputs.length === 2;
}

/** What is known about the size of each axis: a scale, a size, or nothing if it is computed at run time. */
interface Stretch {
  readonly scale?: number | undefined;
  readonly size?: Dim | undefined;
}

/** By axis of the input. Axes that are not listed stay as they are. */
function stretches(call: Call): readonly Stretch[] {
  const rank = call.rank(0);
  const listed = call.ints("axes")?.map((axis) => call.axis(axis, rank));
  const axes = listed ?? Array.from({ length: rank }, (_, axis) => axis);
  const at = takesScalesFirst(call) ? 1 : 2;
  // Upsample's scales were an attribute until opset 8.
  const attribute = call.floats("scales");
  // Opsets 11 and 12 require scales even if sizes are given: an empty list.
  const empty = call.has(at) && call.shape(at)[0] === 0;
  const scaled = attribute !== undefined || (call.has(at) && !empty);
  const scales = attribute ?? (scaled ? realsOf(call, at) : undefined);
  const given = scaled ? (scales ?? []) : (sizesOf(call, 3) ?? []);
  if (given.length > 0 && given.length !== axes.length) {
    call.fail("needs a scale or a size for each axis", { axes: axes.length, given: given.length });
  }
  if (!scaled && call.string("keep_aspect_ratio_policy", "stretch") !== "stretch") {
    return Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? {} : { scale: 1 }));
  }
  return Array.from({ length: rank }, (_, axis): Stretch => {
    const place = axes.indexOf(axis);
    if (place < 0) return { scale: 1 };
    const one = given[place];
    return scaled ? { scale: typeof one === "number" ? one : undefined } : { size: one };
  });
}

/** Output sizes: those given, the input's times the scales, or symbols for unknown ones. */
function sizes(call: Call): readonly Dim[] {
  const shape = call.shape(0);
  return stretches(call).map(({ scale, size }, axis) => {
    if (size !== undefined) return size;
    return scale === undefined ? unknownSize(call, axis) : scaled(call, shape[axis] as Dim, scale, axis);
  });
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

/**
 * How often each element is repeated along each spatial axis; undefined if elements are not just repeated, or
 * not a known whole number of times.
 */
function repeats(call: Call): number[] | undefined {
  const shape = call.shape(0);
  if (call.ints("axes") !== undefined) return undefined;
  const factors = sizes(call)
    .slice(2)
    .map((size, axis) => Number(size) / Number(shape[axis + 2]));
  return isRepeat(call) && factors.every(Number.isInteger) ? factors : undefined;
}

/** Stretches the spatial axes of [N, C, ...]. ONNX Resize-18. */
export const resize: Operator = {
  infer: (call) => [{ dtype: call.input(0).dtype, shape: sizes(call) }],

  gradient(call) {
    const kernel = repeats(call);
    if (kernel === undefined)
      return [
        resizeBack(
          call,
          sizes(call),
          stretches(call).map(({ scale }) => scale),
        ),
      ];
    const mean = call.graph.emit("AveragePool", [call.upstream], {
      kernel_shape: ints(kernel),
      strides: ints(kernel),
      count_include_pad: int(0),
    });
    const taps = kernel.reduce((product, factor) => product * factor, 1);
    return [call.graph.emit("Mul", [mean, call.graph.scalar(taps)])];
  },

  axes(call) {
    const [shape, list] = [call.shape(0), stretches(call)];
    const still = (axis: number) =>
      list[axis]?.scale === 1 || (list[axis]?.size !== undefined && list[axis]?.size === shape[axis]);
    const moves = [0, 1].filter((axis) => axis < shape.length && !still(axis));
    const flow = poolFlow(call, moved);
    const reason = "the Resize stretches it, as far as can be told";
    return {
      ...flow,
      blocked: [
        ...(flow.blocked ?? []),
        ...moves.flatMap((axis) => [input(0, axis), output(axis)].map((at) => ({ at, reason }))),
      ],
      // The sizes include batch and channels.
      written: (call.has(3) && call.ints("axes") === undefined ? [0, 1] : []).map((axis) => ({
        at: output(axis),
        place: { input: 3, element: axis },
      })),
    };
  },
  // Region, scales and sizes.
  literals: { always: [1, 2, 3] },
  // Opset 10 had only one coordinate mode.
  upgrade(call) {
    const { node } = call;
    if (!takesScalesFirst(call)) return node;
    const [x, scales] = node.inputs as [string, string];
    const ways = { coordinate_transformation_mode: text("asymmetric"), nearest_mode: text("floor") };
    return { ...node, inputs: [x, "", scales], attributes: { ...node.attributes, ...ways } };
  },
  rounding(call) {
    const moved = movedBound(call);
    if (isRepeat(call) || call.string("mode", "nearest") === "nearest") return moved;
    if (call.string("mode", "nearest") !== "linear")
      call.unruled("has a rounding bound for nearest and linear only", modeOf(call));
    // Weights between 0 and 1 that add up to 1, each product and sum rounded.
    const size = call.graph.emit(
      "Resize",
      [magnitude(call, call.node.inputs[0] as string), ...call.node.inputs.slice(1)],
      call.node.attributes,
    );
    return addBounds(call, moved, scaleBound(call, size, 32 * unitRoundoff));
  },
};
