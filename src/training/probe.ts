import type { Feeds } from "../engine/session.ts";
import type { Shape } from "../graph/dim.ts";
import { allocate } from "../tensor/dtype.ts";
import { Random } from "../tensor/random.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { Program } from "./program.ts";

/** A seeded batch of standard normal features and zero targets, for a trainer that has seen no data yet. */
export function syntheticBatch(
  program: Pick<Program, "features" | "target">,
  size: number,
  seed: number,
): Feeds {
  const dims = concrete(program.features.shape, size);
  const data = new Float32Array(sizeOf(dims));
  const draws = new Random(seed, "synthetic batch");
  for (let index = 0; index < data.length; index++) data[index] = draws.normal();
  return { ...zeroTargets(program, size), [program.features.name]: { dtype: "float32", dims, data } };
}

/** Zeros for the targets of `size` examples, where the loss has any: the engine wants every input fed. */
export function zeroTargets({ target }: Pick<Program, "target">, size: number): Feeds {
  if (target === undefined) return {};
  const dims = concrete(target.shape, size);
  return { [target.name]: { dtype: target.dtype, dims, data: allocate(target.dtype, sizeOf(dims)) } };
}

function concrete(shape: Shape, size: number): number[] {
  return shape.map((dim, axis) => (axis === 0 ? size : typeof dim === "number" ? dim : 1));
}
