import type { Tensor } from "../tensor/tensor.ts";
import { checkLimit, type Limits, makeLimits } from "./limits.ts";
import { bytesOf, elementsFrom } from "./raw.ts";
import { planSafetensors, readSafetensorsHeader } from "./safetensors-header.ts";

/** The contents of a safetensors file: tensors by name, and text by key. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * The bytes of a safetensors file. The header is padded with spaces to a multiple of 8 bytes and wider
 * elements come first, so every tensor is aligned. Throws `ARGUMENT` for a name that cannot be written and
 * `UNSUPPORTED_TYPE` for a tensor of text.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const entries = [...tensors].map(([name, { dtype, dims }]) => ({ name, dtype, dims }));
  const { begins, header, dataBytes } = planSafetensors(entries, metadata);
  const bytes = new Uint8Array(header.length + dataBytes);
  bytes.set(header);
  for (const [name, { data }] of tensors)
    bytes.set(bytesOf(data), header.length + (begins.get(name) as number));
  return bytes;
}

/**
 * Reads a safetensors file. Tensors are views of `bytes` if they are aligned, and `bytes` must not change
 * afterwards. The data must be covered by the tensors without gap or overlap. Throws `FORMAT`, `TOO_LARGE`
 * (naming the option of `limits` that raises the limit) and `UNSUPPORTED_TYPE`.
 */
export function decodeSafetensors(bytes: Uint8Array, limits: Partial<Limits> = {}): Safetensors {
  const all = makeLimits(limits);
  checkLimit(all, "maxBytes", "safetensors file", bytes.length);
  const read = (offset: number, length: number) => bytes.subarray(offset, offset + length);
  const { slots, metadata, dataStart } = readSafetensorsHeader(read, bytes.length, all);
  const data = bytes.subarray(dataStart);
  const tensors = new Map<string, Tensor>();
  for (const { name, thing, dtype, dims, begin, end } of slots) {
    tensors.set(name, { dtype, dims, data: elementsFrom(thing, dtype, dims, data.subarray(begin, end)) });
  }
  return { tensors, metadata };
}
