import type { Dim } from "../../graph/dim.ts";
import { productOfDims } from "../../graph/dim.ts";
import { text } from "../../graph/model.ts";
import { type AxisRule, input, output, tie } from "../rules/axis-rule.ts";
import { elementwise } from "../rules/contents.ts";
import type { Call, GradientCall } from "../rules/operator.ts";
import { extent, spatialAxes, type Window, windowedSize, windowOf } from "./window.ts";

/** The window of a pooling call; its kernel is an attribute. */
export function poolWindow(call: Call): Window {
  const spatial = call.shape(0).slice(2);
  const kernel = call.ints("kernel_shape") ?? call.fail("kernel_shape is required", undefined);
  const window = windowOf(call, kernel, spatial);
  // In this case ONNX Runtime's pools use negative padding, which shifts the windows; its Conv uses none.
  if (
    call.string("auto_pad", "NOTSET").startsWith("SAME") &&
    window.strides.some((stride, axis) => stride > extent(window, axis))
  ) {
    call.unruled(
      "auto_pad SAME needs strides no larger than the window",
      window.strides,
      "Write the padding out as pads.",
    );
  }
  return window;
}

/** [N, C, positions] of a pooling call. */
export function poolShape(call: Call): Dim[] {
  const window = poolWindow(call);
  const ceil = call.int("ceil_mode", 0) !== 0;
  const [batch = 1, channels = 1, ...spatial] = call.shape(0);
  return [batch, channels, ...spatial.map((size, axis) => windowedSize(call, size, axis, window, ceil))];
}

/** Batch and channel pass through a pool; its spatial axes cannot grow. */
export function poolFlow(call: Call, fresh: NonNullable<AxisRule["contents"]> = elementwise): AxisRule {
  const reason = "a spatial axis of a pool cannot grow: its window slides over it";
  return {
    contents: fresh,
    ties: [tie(input(0, 0), output(0)), tie(input(0, 1), output(1))],
    blocked: spatialAxes(call.rank(0)).flatMap((axis) => [
      { at: input(0, axis), reason },
      { at: output(axis), reason },
    ]),
  };
}

/** One operation per tap of each output element. */
export function poolFlops(call: Call): Dim {
  return productOfDims([...poolWindow(call).kernel, ...call.output(0).shape]);
}

/** Whether no two windows overlap and none reaches into padding. */
export function tiles(window: Window): boolean {
  return window.kernel.every(
    (size, axis) =>
      size === window.strides[axis] &&
      extent(window, axis) === size &&
      window.begin[axis] === 0 &&
      window.end[axis] === 0,
  );
}

/** Each element of [N, C, positions] repeated over its window: [N, C, sizes]. `sizes` are multiples of positions. */
export function repeatWindows(call: GradientCall, value: string, sizes: readonly number[]): string {
  const { graph } = call;
  const [batch = 1, channels = 1, ...positions] = graph.typeOf(value).shape;
  if (sizes.every((size, axis) => size === positions[axis])) return value;
  // ONNX Runtime has a fast path for factors of 2, and sizes, unlike scales, need no float32 constant.
  const shape =
    typeof batch === "number" && typeof channels === "number"
      ? graph.vector([batch, channels, ...sizes])
      : graph.emit(
          "Concat",
          [
            graph.emit("Slice", [graph.emit("Shape", [value]), graph.vector([0]), graph.vector([2])]),
            graph.vector(sizes),
          ],
          { axis: { kind: "int", value: 0 } },
        );
  return graph.emit("Resize", [value, "", "", shape], {
    mode: text("nearest"),
    coordinate_transformation_mode: text("asymmetric"),
    nearest_mode: text("floor"),
  });
}

/** `value` [N, C, covered] with zeros appended on the spatial axes up to `sizes`. */
export function padTo(
  call: GradientCall,
  value: string,
  covered: readonly number[],
  sizes: readonly number[],
): string {
  const missing = sizes.map((size, axis) => size - (covered[axis] as number));
  if (missing.every((count) => count === 0)) return value;
  const before = new Array<number>(sizes.length + 4).fill(0);
  return call.graph.emit("Pad", [value, call.graph.vector([...before, ...missing])]);
}
