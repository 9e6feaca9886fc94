import type { Tensor } from "../../src/tensor/tensor.ts";
import type { GrowthRecord } from "../../src/training/history/record.ts";
import type { TrainerState } from "../../src/training/history/state.ts";

/**
 * Everything except times, as text: equal texts mean equal bits (different float32 values print differently,
 * and -0 is not 0).
 */
export function stateText({ model, learner, progress }: TrainerState): string {
  const plain = (tensors: Iterable<readonly [string, Tensor]>) =>
    [...tensors].map(([name, { dims, data }]) => [
      name,
      dims,
      Array.from(data as Float32Array, (value) => (Object.is(value, -0) ? "-0" : String(value))),
    ]);
  return JSON.stringify({
    model: plain(model.graph.parameters),
    variables: plain(learner.variables),
    slots: [...learner.slots].map(([name, slots]) => [
      name,
      plain(slots.map((slot, at) => [`${at}`, slot] as const)),
    ]),
    births: [...learner.births].map(([name, axes]) => [name, axes.map((axis) => [...axis])]),
    restart: learner.restart,
    progress: {
      ...progress,
      // The state includes neither the batch that a growth was measured on nor how long that took.
      growths: progress.growths.map(lasting),
      rollbacks: progress.rollbacks.map((rollback) => ({
        ...rollback,
        growths: rollback.growths.map(lasting),
      })),
    },
  });
}

function lasting({ plan, width, step }: GrowthRecord) {
  return { plan, width, step };
}
