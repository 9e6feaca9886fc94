import { isConcrete, type Shape } from "../../graph/dim.ts";
import { ints } from "../../graph/model.ts";
import { float32, full, sizeOf } from "../../tensor/tensor.ts";
import { addBounds, magnitude, scaleBound, unitRoundoff } from "../rules/bounds.ts";
import { moved } from "../rules/contents.ts";
import { anything, between, hull } from "../rules/interval.ts";
import type { GradientCall, Operator } from "../rules/operator.ts";
import { padTo, poolFlops, poolFlow, poolShape, poolWindow, repeatWindows, tiles } from "./pool.ts";
import { adjointAttributes, paddedWindow, sizesRemedy, type Window, windowAttributes } from "./window.ts";

/** The mean over each window, with or without the padding. ONNX AveragePool-19. */
export const averagePool: Operator = {
  infer: (call) => [{ dtype: call.input(0).dtype, shape: poolShape(call) }],

  gradient(call) {
    const { graph } = call;
    const window = paddedWindow(call, poolWindow(call));
    const spatial: Shape = call.shape(0).slice(2);
    const positions: Shape = graph.typeOf(call.upstream).shape.slice(2);
    const shared = graph.emit("Mul", [call.upstream, shares(call, window, spatial, positions)]);
    if (isConcrete(spatial) && isConcrete(positions) && tiles(window)) {
      const covered = positions.map((count, axis) => count * (window.kernel[axis] as number));
      if (covered.every((size, axis) => size <= (spatial[axis] as number))) {
        return [padTo(call, repeatWindows(call, shared, covered), covered, spatial)];
      }
    }
    // Spread each share over its window. The channels become a spatial axis of size-1 windows, so their
    // number does not matter.
    const adjoint = adjointAttributes(call, window, spatial, positions);
    const deep = (name: string, least: number) => {
      const attribute = adjoint[name];
      const values = attribute?.kind === "ints" ? attribute.value : [];
      const half = name === "pads" ? values.length / 2 : values.length;
      const head = [least, ...values.slice(0, half)];
      return ints(name === "pads" ? [...head, least, ...values.slice(half)] : head);
    };
    const dims = [1, 1, 1, ...window.kernel];
    const ones = graph.constant(`ones ${dims.join(",")}`, () => full(dims, 1));
    const spread = graph.emit("ConvTranspose", [graph.emit("Unsqueeze", [shared, graph.vector([1])]), ones], {
      kernel_shape: deep("kernel_shape", 1),
      strides: deep("strides", 1),
      dilations: deep("dilations", 1),
      pads: deep("pads", 0),
      output_padding: deep("output_padding", 0),
    });
    return [graph.emit("Squeeze", [spread, graph.vector([1])])];
  },

  axes: (call) => poolFlow(call, moved),

  interval: ([x = anything]) => hull(x, between(0, 0)),
  rounding(call) {
    const { graph } = call;
    const taps = sizeOf(poolWindow(call).kernel) + 3;
    const x = call.node.inputs[0] as string;
    const own = scaleBound(call, magnitude(call, x), taps * unitRoundoff * 1.01);
    const total = addBounds(call, own, call.inputBounds[0]) as string;
    return graph.emit("Mul", [
      graph.emit("AveragePool", [total], call.node.attributes),
      // The bound is itself computed with `taps` roundings.
      graph.scalar(1 + 2 * taps * unitRoundoff),
    ]);
  },

  flops: poolFlops,
};

/** 1 / (number of elements that each window averages), to broadcast against the output. */
function shares(call: GradientCall, window: Window, spatial: Shape, positions: Shape): string {
  const padded = call.int("count_include_pad", 0) !== 0;
  const whole = sizeOf(window.kernel);
  const plain = [...window.begin, ...window.end].every((pad) => pad === 0);
  if (plain && call.int("ceil_mode", 0) === 0) return call.graph.scalar(1 / whole);
  if (!isConcrete(spatial) || !isConcrete(positions)) {
    if (padded && call.int("ceil_mode", 0) === 0) return call.graph.scalar(1 / whole);
    call.unruled(
      "the gradient of a padded average needs spatial sizes that are numbers",
      spatial,
      sizesRemedy,
    );
  }
  const counts = positions.map((count, axis) =>
    Array.from({ length: count }, (_, position) => {
      const size = spatial[axis] as number;
      const start = position * (window.strides[axis] as number) - (window.begin[axis] as number);
      const [low, high] = padded
        ? [-(window.begin[axis] as number), size + (window.end[axis] as number)]
        : [0, size];
      let inside = 0;
      for (let tap = 0; tap < (window.kernel[axis] as number); tap++) {
        const at = start + tap * (window.dilations[axis] as number);
        if (at >= low && at < high) inside++;
      }
      return inside;
    }),
  );
  const products = counts.reduce<number[]>(
    (heads, axis) => heads.flatMap((head) => axis.map((count) => head * count)),
    [1],
  );
  const key = `shares ${Object.values(windowAttributes(window)).map(({ value }) => String(value))} ${spatial} ${positions} ${padded}`;
  return call.graph.constant(key, () =>
    float32(
      positions,
      products.map((count) => 1 / Math.max(count, 1)),
    ),
  );
}
