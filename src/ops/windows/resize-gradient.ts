import type { Dim } from "../../graph/dim.ts";
import { float32 } from "../../tensor/tensor.ts";
import { transpose } from "../rules/gradient.ts";
import type { GradientCall } from "../rules/operator.ts";

/**
 * The adjoint of a Resize of [N, C, ...] to `to`, in any mode. Along each axis Resize is a product with a
 * matrix [in, out] of weights, and its gradient is a product with the transpose. The same Resize applied to
 * the identity matrix gives that matrix, so the coordinate rules need not be written twice. Throws
 * `INVALID_MODEL` if a spatial size is not a number.
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

/** [out, in]: the weight of each input entry in each output entry along an axis. */
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
  // Two spatial axes, because ONNX Runtime resizes those in every mode; the first keeps its size.
  const target =
    scale === undefined
      ? ["", "", graph.vector([1, 1, size, to])]
      : ["", graph.constant(`scales 1,1,1,${scale}`, () => float32([4], [1, 1, 1, scale]))];
  const { axes: _, ...attributes } = node.attributes;
  const made = graph.emit("Resize", [unit, ...target], attributes);
  return graph.emit("Reshape", [transpose(call, made, [0, 1, 3, 2]), graph.vector([to, size])]);
}
