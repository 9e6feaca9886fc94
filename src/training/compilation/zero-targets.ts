import type { Feeds } from "../../engine/session.ts";
import { evaluateDim } from "../../graph/dim.ts";
import { allocate } from "../../tensor/dtype.ts";
import { makeTensor, sizeOf } from "../../tensor/tensor.ts";
import type { Program } from "../graphs/program.ts";
import { feedSizes } from "../graphs/program-inputs.ts";

/** Zeros for the targets of a batch, if the losses have any: the engine requires every input. */
export function zeroTargets({ targets, inputs }: Pick<Program, "targets" | "inputs">, feeds: Feeds): Feeds {
  const sizes = feedSizes({ inputs }, feeds);
  const [first] = inputs;
  const batch = first === undefined ? 1 : (feeds[first.name]?.dims[first.batchAxis] ?? 1);
  return Object.fromEntries(
    targets.map(({ input: { name, dtype, shape } }) => {
      const dims = shape.map((dim, axis) => (axis === 0 ? batch : (evaluateDim(dim, sizes) ?? 1)));
      return [name, makeTensor(dtype, dims, allocate(dtype, sizeOf(dims)))];
    }),
  );
}
