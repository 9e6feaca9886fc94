import { type Attributes, ints, text } from "../graph/model.ts";
import { float32, sizeOf } from "../tensor/tensor.ts";
import { codeOfDtype } from "./element-types.ts";
import { zeroAtZero } from "./fresh.ts";
import { shapeOf } from "./gradient.ts";
import type { GradientCall, Operator } from "./operator.ts";
import { padTo, poolFlops, poolFlow, poolShape, poolWindow, repeatWindows, tiles } from "./pool.ts";
import { windowAttributes } from "./window.ts";

/** The largest element under each window; the gradient goes to the first of equals, as in PyTorch. ONNX MaxPool-12. */
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
    if (known && spatial.length === 2 && tiles(window) && inside) {
      return [gradientOfTiles(call, window.kernel, covered, spatial as readonly number[])];
    }
    const attributes = call.node.attributes;
    return [gradientByIndices(call, { ...attributes, storage_order: { kind: "int", value: 0 } })];
  },

  flow: (call) => poolFlow(call, zeroAtZero),

  rounding(call) {
    const bound = call.inputBounds[0];
    // |max a - max b| <= max |a - b|, and the maximum itself is exact.
    return bound === undefined ? undefined : call.graph.emit("MaxPool", [bound], call.node.attributes);
  },

  flops: poolFlops,
  maximum: true,
};

/**
 * Where windows tile the input: an element is a maximum if it equals its window's, and the first one is that with the
 * largest rank among them, found by pooling again. Three times as fast on ONNX Runtime's CPU kernels as pooling with
 * indices and scattering, and no operator that its other backends lack.
 */
function gradientOfTiles(
  call: GradientCall,
  kernel: readonly number[],
  covered: readonly number[],
  spatial: readonly number[],
): string {
  const { graph } = call;
  const whole = covered.every((size, axis) => size === spatial[axis]);
  const x = call.node.inputs[0] as string;
  const image = whole
    ? x
    : graph.emit("Slice", [x, graph.vector([0, 0]), graph.vector(covered), graph.vector([2, 3])]);
  const mask = (a: string, b: string) =>
    graph.emit("Cast", [graph.emit("Equal", [a, b])], {
      to: { kind: "int", value: codeOfDtype(call.input(0).dtype) },
    });
  const hit = mask(image, repeatWindows(call, call.node.outputs[0] as string, covered));
  const ranked = graph.emit("Mul", [hit, ranks(call, kernel, covered)]);
  const best = graph.emit("MaxPool", [ranked], { kernel_shape: ints(kernel), strides: ints(kernel) });
  const first = mask(ranked, repeatWindows(call, best, covered));
  return padTo(
    call,
    graph.emit("Mul", [first, repeatWindows(call, call.upstream, covered)]),
    covered,
    spatial,
  );
}

/** [rows, columns]: within each window, the row-major positions counted down to 1. */
function ranks(
  call: GradientCall,
  [height = 1, width = 1]: readonly number[],
  dims: readonly number[],
): string {
  const columns = dims[1] as number;
  return call.graph.constant(`ranks ${height},${width} ${dims.join(",")}`, () =>
    float32(
      dims,
      Float32Array.from({ length: sizeOf(dims) }, (_, at) => {
        const [row, column] = [Math.floor(at / columns), at % columns];
        return height * width - (row % height) * width - (column % width);
      }),
    ),
  );
}

/** Any window: pools again for the positions of the maxima and adds the upstream gradient up at them. */
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

/** The attributes of a MaxPool whose one window covers everything. */
export function globalPoolAttributes(kernel: readonly number[]): Attributes {
  return windowAttributes({
    kernel,
    strides: kernel.map(() => 1),
    dilations: kernel.map(() => 1),
    begin: kernel.map(() => 0),
    end: kernel.map(() => 0),
  });
}
