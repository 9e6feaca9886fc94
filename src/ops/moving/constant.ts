import type { ValueType } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { float32, int64, type Tensor, toNumbers } from "../../tensor/tensor.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { sized } from "../rules/sizes.ts";

function inferConstant(call: Call): ValueType {
  const { attributes } = call.node;
  const tensor = Object.hasOwn(attributes, "value") ? attributes.value : undefined;
  if (tensor?.kind === "tensor") {
    const { dtype, dims, data } = tensor.value;
    const small = dtype === "int64" && dims.length <= 1 && data.length <= 64;
    return sized({ dtype, shape: dims }, small ? toNumbers(tensor.value) : undefined);
  }
  const integers = call.ints("value_ints");
  if (integers !== undefined) return sized({ dtype: "int64", shape: [integers.length] }, integers);
  const floats = Object.hasOwn(attributes, "value_floats") ? attributes.value_floats : undefined;
  if (floats?.kind === "floats") return { dtype: "float32", shape: [floats.value.length] };
  if (Object.hasOwn(attributes, "value_float")) return { dtype: "float32", shape: [] };
  if (Object.hasOwn(attributes, "value_int")) {
    return sized({ dtype: "int64", shape: [] }, [call.int("value_int", 0)]);
  }
  throw new EspalierError("UNSUPPORTED_TYPE", {
    thing: `node "${call.node.name}" (Constant)`,
    rule: "must be a dense tensor of numbers",
    received: Object.keys(attributes),
  });
}

/** The tensor, whichever attribute contains it; undefined for strings and sparse tensors. */
function tensorOf(call: Call): Tensor | undefined {
  const { attributes } = call.node;
  for (const name of ["value", "value_float", "value_floats", "value_int", "value_ints"]) {
    const attribute = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (attribute?.kind === "tensor") return attribute.value;
    if (attribute?.kind === "float") return float32([], [attribute.value]);
    if (attribute?.kind === "floats") return float32([attribute.value.length], attribute.value);
    if (attribute?.kind === "int") return int64([], [attribute.value]);
    if (attribute?.kind === "ints") return int64([attribute.value.length], attribute.value);
  }
  return undefined;
}

/** A value written in the graph. ONNX Constant-19. */
export const constant: Operator = {
  infer: (call) => [inferConstant(call)],
  gradient: "none",
  axes: () => ({ ties: [] }),
  constant: tensorOf,
  rounding: () => undefined,
  flops: () => 0,
};
