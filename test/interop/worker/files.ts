import { writeFile } from "node:fs/promises";
import type { Tensor } from "../../../src/index.ts";
import type { Exchange } from "./exchange.ts";
import { type ModelSpec, modelOf } from "./layers.ts";
import { dataOf, type RunSpec, train } from "./training.ts";

interface Asked {
  readonly id: string;
  readonly model: ModelSpec;
  readonly run: RunSpec;
  /** Widths to widen after training, by how much; the trainer does the same number of steps after each. */
  readonly growths: readonly { readonly width: string; readonly by: number }[];
}

/**
 * Trains, grows and saves each model as `${id}.onnx` and its checkpoint as `${id}.safetensors`; answers predictions
 * for `${id}.probe` (`${id}.predicted`), parameters and growth records.
 */
export async function files(exchange: Exchange): Promise<void> {
  const given = await exchange.tensors();
  const tensors = new Map<string, Tensor>();
  const answers: Record<string, unknown> = {};
  for (const { id, model, run, growths } of await exchange.asked<readonly Asked[]>()) {
    const data = dataOf(id, given);
    const { trainer } = await train(modelOf(model), run, data);
    const records: unknown[] = [];
    for (const { width, by } of growths) {
      const { loss, output } = await trainer.widen(width, { by });
      records.push({ width, loss, output });
      await trainer.fit(data, { steps: run.steps });
    }
    await trainer.save(exchange.path(`${id}.onnx`));
    await writeFile(exchange.path(`${id}.safetensors`), await trainer.checkpoint());
    tensors.set(`${id}.predicted`, await trainer.predict(given.get(`${id}.probe`) as Tensor));
    for (const [name, tensor] of trainer.model.graph.parameters) tensors.set(`${id}.after.${name}`, tensor);
    answers[id] = { growths: records, step: trainer.step };
    await trainer.dispose();
  }
  await exchange.answer(answers, tensors);
}
