import type { DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";

/** ONNX's number for each element type (TensorProto.DataType), in files and as the `to` of Cast. */
export const dataTypes: { readonly [D in DType]: number } = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};

/** The element type whose ONNX number is `code`. Throws `UNSUPPORTED_TYPE`. */
export function dtypeOfCode(thing: string, code: number): DType {
  for (const [dtype, known] of Object.entries(dataTypes)) if (known === code) return dtype as DType;
  throw new EspalierError("UNSUPPORTED_TYPE", {
    thing,
    rule: "must have an element type that espalier supports",
    received: code,
    remedy: `Supported: ${Object.keys(dataTypes).join(", ")}.`,
  });
}

export function codeOfDtype(dtype: DType): number {
  return dataTypes[dtype];
}
