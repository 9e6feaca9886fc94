import type { Dim } from "../../graph/dim.ts";
import { float32 } from "../../tensor/tensor.ts";
import { transpose } from "../rules/gradient.ts";
import type { GradientCall } from "../rules/operator.ts";

/**
 * The adjoint of a Resize of [N, C, ...] to `to`, of any mode. Along each axis it is a product with a matrix [in, out] of
 * weights, and the gradient one with its transpose. The matrix is what the same Resize makes of the unit matrix, so
 * that no rule of coordinates is written down twice. Throws `INVALID_MODEL` where a spatial size is not a number.
 */
export function resizeBack(
  call: GradientCall,
  to: readonly Dim[],
  scales: readonly (number | undefined)[],
): string {
  const from = call.shape(0);
  const last = from.length - 1;
  return from.slice(2).reduce<string>((value, size, index) => {
    const axis = index + 2;
    const weights = weightsAlong(call, size, to[axis] as Dim, scales[axis]);
    if (axis === last) return call.graph.emit("MatMul", [value, weights]);
    const swapped = from.map((_, at) => (at === axis ? last : at === last ? axis : at));
    const product = call.graph.emit("MatMul", [transpose(call, value, swapped), weights]);
    return transpose(call, product, swapped);
  }, call.upstream);
}

/** [out, in]: how much of each entry is in each entry that the call makes along an axis. */
function weightsAlong(call: GradientCall, size: Dim, to: Dim, scale: number | undefined): string {
  const { graph, node } = call;
  if (typeof size !== "number" || typeof to !== "number") {
    call.unruled("its gradient needs known sizes", [size, to]);
  }
  if (call.string("coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize") {
    call.unruled("has no gradient if it crops", node.inputs[1]);
  }
  if (call.string("keep_aspect_ratio_policy", "stretch") !== "stretch") {
    call.unruled("has no gradient if it keeps the aspect ratio", node.attributes);
  }
  const unit = graph.constant(`unit matrix ${size}`, () =>
    float32(
      [1, 1, size, size],
      Array.from({ length: size * size }, (_, at) => Number(at % (size + 1) === 0)),
    ),
  );
  // Two spatial axes, as that is what ONNX Runtime resizes in every mode; the first stays as it is.
  const target =
    scale === undefined
      ? ["", "", graph.vector([1, 1, size, to])]
      : ["", graph.constant(`scales 1,1,1,${scale}`, () => float32([4], [1, 1, 1, scale]))];
  const { axes: _, ...attributes } = node.attributes;
  const made = graph.emit("Resize", [unit, ...target], attributes);
  return graph.emit("Reshape", [transpose(call, made, [0, 1, 3, 2]), graph.vector([to, size])]);
}
