import type { Feeds } from "../../engine/session.ts";
import type { Dim } from "../../graph/dim.ts";
import type { Compilation } from "../compilation/compilation.ts";
import { batchFlops, costOf } from "../graphs/flops.ts";
import type { TrainerSettings } from "../settings/options.ts";

/**
 * FLOPs of measuring a growth: a forward pass before it, and after it one with the rounding bound and a forward and backward
 * pass for the gradients of the new units. They count a full batch of examples like those of `batch`, not the batch at hand,
 * which a resumed run may not have.
 */
export async function growingFlops(
  before: Compilation,
  after: Compilation,
  batch: Feeds,
  settings: Pick<TrainerSettings, "batchSize">,
): Promise<number> {
  const passes = passesOf(batch, settings);
  return passes.forward(before) + (await passes.bounded(after)) + passes.training(after);
}

/** FLOPs of the passes that measure a change of size. */
export function passesOf(batch: Feeds, { batchSize }: Pick<TrainerSettings, "batchSize">) {
  const evaluation = ({ evaluator: { program }, widths }: Compilation, flops: Dim) =>
    batchFlops(costOf({ program, widths, flops }, batch), batchSize);
  return {
    forward: (compiled: Compilation) => evaluation(compiled, compiled.evaluator.flops),
    bounded: async (compiled: Compilation) => evaluation(compiled, await compiled.evaluator.boundedFlops()),
    training: (compiled: Compilation) => batchFlops(costOf(compiled, batch), batchSize),
  };
}
