import type { Tensor } from "../../../src/index.ts";
import type { Exchange } from "./exchange.ts";
import { type ModelSpec, modelOf } from "./layers.ts";
import { dataOf, type RunSpec, train } from "./training.ts";

interface Asked {
  readonly id: string;
  readonly model: ModelSpec;
  readonly run: RunSpec;
}

/** Trains each run; answers its first and last weights, the order of its examples and its losses. */
export async function trajectories(exchange: Exchange): Promise<void> {
  const given = await exchange.tensors();
  const tensors = new Map<string, Tensor>();
  const losses: Record<string, readonly number[]> = {};
  for (const { id, model, run } of await exchange.asked<readonly Asked[]>()) {
    const before = modelOf(model);
    for (const [name, tensor] of before.graph.parameters) tensors.set(`${id}.before.${name}`, tensor);
    const trained = await train(before, run, dataOf(id, given));
    for (const [name, tensor] of trained.trainer.model.graph.parameters) {
      tensors.set(`${id}.after.${name}`, tensor);
    }
    tensors.set(`${id}.order`, trained.order);
    losses[id] = trained.losses;
    await trained.trainer.dispose();
  }
  await exchange.answer(losses, tensors);
}
