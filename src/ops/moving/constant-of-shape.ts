import { isFloat } from "../../tensor/dtype.ts";
import { sizeOf, toNumbers } from "../../tensor/tensor.ts";
import { output } from "../rules/axis-rule.ts";
import { constantIntegers, rearranged } from "../rules/integer-folding.ts";
import { between } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";
import { sized, sizesOf, unknownSize } from "../rules/sizes.ts";

/**
 * A tensor of a given shape filled with one value (attribute `value`, default float32 0). ONNX
 * ConstantOfShape-20.
 */
export const constantOfShape: Operator = {
  infer(call) {
    const attribute = Object.hasOwn(call.node.attributes, "value") ? call.node.attributes.value : undefined;
    const fill = attribute?.kind === "tensor" ? attribute.value : undefined;
    const rank = call.shape(0)[0];
    const sizes = sizesOf(call, 0);
    if (sizes === undefined && typeof rank !== "number") {
      call.unruled("the number of axes must be known", call.shape(0));
    }
    const shape = sizes ?? Array.from({ length: rank as number }, (_, axis) => unknownSize(call, axis));
    const type = { dtype: fill?.dtype ?? "float32", shape } as const;
    const [length] = shape;
    const small = shape.length === 1 && typeof length === "number" && length <= 64;
    if (fill?.dtype !== "int64" || !small) return [type];
    return [
      sized(
        type,
        Array.from({ length }, () => Number(fill.data[0])),
      ),
    ];
  },
  gradient: "none",
  // Every axis may have any size.
  axes(call) {
    const axes = call.output(0).shape.map((_, axis) => axis);
    return {
      ties: [],
      ends: axes.map((axis) => output(axis)),
      written: (sizesOf(call, 0) ?? []).map((_, element) => ({
        at: output(element),
        place: { input: 0, element },
      })),
    };
  },
  constant(call) {
    const attribute = Object.hasOwn(call.node.attributes, "value") ? call.node.attributes.value : undefined;
    const [sizes] = constantIntegers(call) ?? [];
    if (attribute?.kind !== "tensor" || isFloat(attribute.value.dtype) || sizes === undefined)
      return undefined;
    const dims = toNumbers(sizes);
    return rearranged([attribute.value], dims, new Array<number>(sizeOf(dims)).fill(0));
  },
  interval(_, call) {
    const { value } = call.node.attributes;
    const fill = value?.kind === "tensor" ? Number(value.value.data[0]) : 0;
    return Number.isFinite(fill)
      ? between(fill, fill)
      : between(fill, fill, Number.isNaN(fill) ? "nan" : "infinite");
  },
  rounding: () => undefined,
  flops: () => 0,
};
