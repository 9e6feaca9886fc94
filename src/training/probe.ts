import type { Feeds } from "../engine/session.ts";
import { allocate } from "../tensor/dtype.ts";
import { Random } from "../tensor/random.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import type { Program } from "./program.ts";

/** A seeded batch of standard normal features and zero targets, for a trainer that has seen no data yet. */
export function syntheticBatch(
  program: Pick<Program, "features" | "target">,
  size: number,
  seed: number,
): Feeds {
  const concrete = (shape: readonly (number | string)[]) =>
    shape.map((dim, axis) => (axis === 0 ? size : typeof dim === "number" ? dim : 1));
  const dims = concrete(program.features.shape);
  const data = new Float32Array(sizeOf(dims));
  const draws = new Random(seed, "synthetic batch");
  for (let index = 0; index < data.length; index++) data[index] = draws.normal();
  const feeds: Record<string, Tensor> = { [program.features.name]: { dtype: "float32", dims, data } };
  if (program.target !== undefined) {
    const { name, dtype, shape } = program.target;
    const targetDims = concrete(shape);
    feeds[name] = { dtype, dims: targetDims, data: allocate(dtype, sizeOf(targetDims)) };
  }
  return feeds;
}
