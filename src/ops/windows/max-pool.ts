import { type Attributes, int, ints, text } from "../../graph/model.ts";
import { float32, sizeOf } from "../../tensor/tensor.ts";
import { zeroAtZero } from "../rules/contents.ts";
import { codeOfDtype } from "../rules/element-types.ts";
import { shapeOf } from "../rules/gradient.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { GradientCall, Operator } from "../rules/operator.ts";
import { poolFlops, poolFlow, poolShape, poolWindow, repeatWindows, tiles } from "./pool.ts";
import { windowAttributes } from "./window.ts";

/** Up to here float32 represents every integer exactly, with room to spare. */
const largestExact = 2 ** 23;

/**
 * The largest element in each window; the gradient goes to the first of equal ones, as in PyTorch. ONNX
 * MaxPool-12.
 */
export const maxPool: Operator = {
  infer(call) {
    const shape = poolShape(call);
    return [
      { dtype: call.input(0).dtype, shape },
      { dtype: "int64", shape },
    ];
  },

  gradient(call) {
    const window = poolWindow(call);
    const spatial = call.shape(0).slice(2);
    const positions = call.graph.typeOf(call.upstream).shape.slice(2);
    const known = [...spatial, ...positions].every((size) => typeof size === "number");
    const covered = positions.map((count, axis) => Number(count) * (window.kernel[axis] as number));
    const inside = covered.every((size, axis) => size <= Number(spatial[axis]));
    const plain = call.input(0).dtype === "float32" && sizeOf(spatial.map(Number)) <= largestExact;
    if (known && spatial.length === 2 && tiles(window) && inside && plain) {
      return [gradientOfTiles(call, window.kernel, covered, spatial as readonly number[])];
    }
    const attributes = call.node.attributes;
    return [gradientByIndices(call, { ...attributes, storage_order: { kind: "int", value: 0 } })];
  },

  axes: (call) => poolFlow(call, zeroAtZero),

  interval: keepsInterval,
  rounding(call) {
    const bound = call.inputBounds[0];
    // |max a - max b| <= max |a - b|, and the maximum itself is exact.
    return bound === undefined ? undefined : call.graph.emit("MaxPool", [bound], call.node.attributes);
  },

  flops: poolFlops,
  maximum: true,
};

/**
 * For windows that tile the input. An element is a maximum if it equals its window's output; the first such
 * element has the largest rank, which pooling again finds. The rank gives its position, and MaxUnpool puts
 * the gradient there. Four times as fast on ONNX Runtime's CPU kernels as pooling with indices and
 * scattering.
 */
function gradientOfTiles(
  call: GradientCall,
  kernel: readonly number[],
  covered: readonly number[],
  spatial: readonly number[],
): string {
  const { graph } = call;
  const x = call.node.inputs[0] as string;
  const whole = covered.every((size, axis) => size === spatial[axis]);
  const image = whole
    ? x
    : graph.emit("Slice", [x, graph.vector([0, 0]), graph.vector(covered), graph.vector([2, 3])]);
  const equal = graph.emit("Equal", [image, repeatWindows(call, call.node.outputs[0] as string, covered)]);
  const hit = graph.emit("Cast", [equal], { to: int(codeOfDtype("float32")) });
  const places = tilePlaces(kernel, covered, spatial);
  const named = (name: string, dims: readonly number[], values: Float32Array) =>
    graph.constant(`${name} ${[...kernel, ...spatial]}`, () => float32(dims, values));
  const ranked = graph.emit("Mul", [hit, named("ranks", covered, places.ranks)]);
  const best = graph.emit("MaxPool", [ranked], { kernel_shape: ints(kernel), strides: ints(kernel) });
  const positions = covered.map((size, axis) => size / (kernel[axis] as number));
  const within = graph.emit("Sub", [named("tiles", positions, places.lasts), best]);
  const at = graph.emit("Add", [
    graph.emit("Cast", [within], { to: int(codeOfDtype("int64")) }),
    firstOfPlanes(call, x, sizeOf(spatial)),
  ]);
  return graph.emit("MaxUnpool", [call.upstream, at, shapeOf(call, x)], {
    kernel_shape: ints(kernel),
    strides: ints(kernel),
  });
}

/** [N, C, 1, 1] int64: the offset of each plane's first element in the whole tensor. */
function firstOfPlanes(call: GradientCall, x: string, size: number): string {
  const { graph } = call;
  const scalar = (value: number) => graph.emit("Squeeze", [graph.vector([value]), graph.vector([0])]);
  const firsts = graph.emit("Range", [scalar(0), graph.emit("Size", [x]), scalar(size)]);
  const planes = graph.emit("Slice", [graph.emit("Shape", [x]), graph.vector([0]), graph.vector([2])]);
  const shape = graph.emit("Concat", [planes, graph.vector([1, 1])], { axis: int(0) });
  return graph.emit("Reshape", [firsts, shape]);
}

/**
 * `ranks` [covered]: for each element, how far its offset in the plane is before that of its window's last
 * element. `lasts` [positions]: the offset of each window's last element, which is also where rank 0, of a
 * window without a maximum (NaN), points.
 */
function tilePlaces(
  [height = 1, width = 1]: readonly number[],
  [rows = 1, columns = 1]: readonly number[],
  [, pitch = 1]: readonly number[],
) {
  const most = (height - 1) * pitch + width - 1;
  const ranks = Float32Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return most - (row % height) * pitch - (column % width);
  });
  const across = columns / width;
  const lasts = Float32Array.from(
    { length: (rows / height) * across },
    (_, at) => Math.floor(at / across) * height * pitch + (at % across) * width + most,
  );
  return { ranks, lasts };
}

/** For any window: pools again to get the positions of the maxima, and sums the upstream gradient there. */
export function gradientByIndices(call: GradientCall, attributes: Attributes): string {
  const { graph } = call;
  const x = call.node.inputs[0] as string;
  const [, indices] = graph.emitAll("MaxPool", [x], 2, attributes) as [string, string];
  const flat = (name: string) => graph.emit("Reshape", [name, graph.vector([-1])]);
  const zeros = graph.emit("Expand", [graph.scalar(0), graph.emit("Shape", [flat(x)])]);
  const summed = graph.emit("ScatterElements", [zeros, flat(indices), flat(call.upstream)], {
    axis: { kind: "int", value: 0 },
    reduction: text("add"),
  });
  return graph.emit("Reshape", [summed, shapeOf(call, x)]);
}

/** The attributes of a MaxPool with a single window that covers everything. */
export function globalPoolAttributes(kernel: readonly number[]): Attributes {
  return windowAttributes({
    kernel,
    strides: kernel.map(() => 1),
    dilations: kernel.map(() => 1),
    begin: kernel.map(() => 0),
    end: kernel.map(() => 0),
  });
}
