import { dataTypes } from "../../ops/rules/element-types.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Writer } from "../protobuf-writer.ts";
import { bytesOf } from "../raw.ts";
import type { ExternalTensors } from "./external-tensors.ts";
import { entryFields, externalLocation, tensorFields } from "./fields.ts";

/**
 * Writes a TensorProto: raw little-endian data, listed text, or the location in `external` where the data goes.
 * Throws `INVALID_MODEL` for an element of a string tensor that is not the index of a text.
 */
export function writeTensor(writer: Writer, tensor: Tensor, name = "", external?: ExternalTensors): void {
  for (const dim of tensor.dims) writer.int(tensorFields.dims, dim);
  writer.int(tensorFields.dataType, dataTypes[tensor.dtype]);
  if (name !== "") writer.text(tensorFields.name, name);
  if (tensor.dtype === "string") {
    for (const index of tensor.data)
      writer.text(tensorFields.stringData, textAt(tensor, Number(index), name));
    return;
  }
  const bytes = bytesOf(tensor.data);
  if (external === undefined || !external.takes(bytes)) {
    writer.bytes(tensorFields.rawData, bytes);
    return;
  }
  for (const [key, value] of external.add(bytes)) {
    writer.message(tensorFields.externalData, () => {
      writer.text(entryFields.key, key);
      writer.text(entryFields.value, value);
    });
  }
  writer.int(tensorFields.dataLocation, externalLocation);
}

function textAt(tensor: Tensor, index: number, name: string): string {
  const text = tensor.strings?.[index];
  if (text !== undefined) return text;
  const rule = "every element must number one of its texts";
  throw new EspalierError("INVALID_MODEL", { thing: `tensor "${name}"`, rule, received: index });
}
