import { take } from "../tensor/axis.ts";
import type { Random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * A tensor cut or padded to `dims` at the end of each axis; new entries are drawn from N(0, 1). Used to compare models
 * before and after a growth of their inputs or outputs.
 */
export function fitShape(tensor: Tensor, dims: readonly number[], draws?: Random): Tensor {
  return dims.reduce((fitted, size, axis) => {
    const old = fitted.dims[axis] ?? size;
    if (old === size) return fitted;
    const indices = Int32Array.from({ length: size }, (_, index) => (index < old ? index : -1));
    return fillNew(take(fitted, axis, indices), axis, old, draws);
  }, tensor);
}

function fillNew(tensor: Tensor, axis: number, old: number, draws: Random | undefined): Tensor {
  const size = tensor.dims[axis] ?? 0;
  if (draws === undefined || size <= old || tensor.dtype !== "float32") return tensor;
  const inner = tensor.dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const data = (tensor.data as Float32Array).slice();
  for (let index = 0; index < data.length; index++) {
    if (Math.floor(index / inner) % size >= old) data[index] = draws.normal();
  }
  return { ...tensor, data };
}
