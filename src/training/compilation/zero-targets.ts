import type { Feeds } from "../../engine/session.ts";
import { evaluateDim } from "../../graph/dim.ts";
import { allocate } from "../../tensor/dtype.ts";
import { makeTensor, sizeOf } from "../../tensor/tensor.ts";
import type { Program } from "../graphs/program.ts";
import { feedSizes } from "../graphs/program-inputs.ts";

/** Zeros for the targets of a batch, if the loss has any: the engine requires every input. */
export function zeroTargets({ target, inputs }: Pick<Program, "target" | "inputs">, feeds: Feeds): Feeds {
  if (target === undefined) return {};
  const sizes = feedSizes({ inputs }, feeds);
  const [first] = inputs;
  const batch = first === undefined ? 1 : (feeds[first.name]?.dims[first.batchAxis] ?? 1);
  const dims = target.shape.map((dim, axis) => (axis === 0 ? batch : (evaluateDim(dim, sizes) ?? 1)));
  return { [target.name]: makeTensor(target.dtype, dims, allocate(target.dtype, sizeOf(dims))) };
}
