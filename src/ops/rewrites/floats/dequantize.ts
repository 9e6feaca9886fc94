import { EspalierError } from "../../../tensor/errors.ts";
import { float32, sizeOf, type Tensor, toNumbers } from "../../../tensor/tensor.ts";

/** How integers stand for real numbers: (q - zero) · scale, with one scale for all, for each entry of an axis, or for blocks along it. */
export interface Scaling {
  readonly scale: Tensor;
  readonly zero: Tensor | undefined;
  readonly axis: number;
  /** Entries of the axis that share a scale; 0: one scale per entry. */
  readonly block?: number;
}

/** The real numbers, rounded to float32 as ONNX Runtime does. */
export function dequantized(tensor: Tensor, { scale, zero, axis, block = 0 }: Scaling): Tensor<"float32"> {
  const { dims } = tensor;
  const at = axis < 0 ? axis + dims.length : axis;
  const count = dims[at] ?? 1;
  const inner = sizeOf(dims.slice(at + 1));
  const scales = toNumbers(scale);
  const zeros = zero === undefined ? [] : toNumbers(zero);
  const blocks = block === 0 ? count : Math.ceil(count / block);
  const one = scales.length === 1;
  if (!one && scales.length !== (block === 0 ? count : (sizeOf(dims) / count) * blocks)) {
    throw new EspalierError("INVALID_MODEL", {
      thing: "scale of quantized weights",
      rule: `must have one entry, or one for each entry of axis ${at} of [${dims.join(", ")}]`,
      received: scale.dims,
    });
  }
  const place = (offset: number) => {
    const entry = Math.floor(offset / inner) % count;
    if (block === 0) return entry;
    const outer = Math.floor(offset / (inner * count));
    return (outer * blocks + Math.floor(entry / block)) * inner + (offset % inner);
  };
  const data = new Float32Array(tensor.data.length);
  for (let offset = 0; offset < data.length; offset++) {
    const index = one ? 0 : place(offset);
    const centered = Number(tensor.data[offset]) - (zeros[zeros.length === 1 ? 0 : index] ?? 0);
    data[offset] = Math.fround(centered) * (scales[index] as number);
  }
  return float32(dims, data);
}

/** The same matrices, each transposed: the last two axes are swapped. */
export function transposed(tensor: Tensor<"float32">): Tensor<"float32"> {
  const [rows, columns] = tensor.dims.slice(-2) as [number, number];
  const from = tensor.data;
  const data = new Float32Array(from.length);
  const size = rows * columns;
  for (let start = 0; start < from.length; start += size) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        data[start + column * rows + row] = from[start + row * columns + column] as number;
      }
    }
  }
  return float32([...tensor.dims.slice(0, -2), columns, rows], data);
}
