import { unknownName } from "../../tensor/unknown-name.ts";
import { adam, adamw } from "./adam.ts";
import type { Optimizer, OptimizerName } from "./optimizer.ts";
import type { Schedule } from "./schedule.ts";
import { sgd } from "./sgd.ts";

/** The one table of optimisers. */
export const optimizers = { sgd, adam, adamw } as const satisfies Readonly<Record<OptimizerName, unknown>>;

/** Makes an optimiser again from what a checkpoint or a command line says. Throws `ARGUMENT`. */
export function optimizerOf(
  name: string,
  options: Readonly<Record<string, number | boolean>>,
  learningRate?: number | Schedule,
): Optimizer {
  if (!Object.hasOwn(optimizers, name)) {
    throw unknownName("ARGUMENT", "optimizer", name, Object.keys(optimizers));
  }
  return optimizers[name as OptimizerName](
    learningRate === undefined ? options : { ...options, learningRate },
  );
}
