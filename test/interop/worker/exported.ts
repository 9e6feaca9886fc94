import { loadModel, type Tensor } from "../../../src/index.ts";
import { Trainer } from "../../../src/training/trainer/trainer.ts";
import type { Exchange } from "./exchange.ts";
import { dataOf, optionsOf, type RunSpec, train } from "./training.ts";

interface Asked {
  readonly id: string;
  readonly run: RunSpec;
  readonly by: number;
}

/**
 * Loads each `${id}.onnx`; answers what it predicts for `${id}.probe` at once (`predicted`), its losses while it
 * trains, then widens every width that can grow and saves `${id}-grown.onnx` with its prediction (`grown`).
 */
export async function exported(exchange: Exchange): Promise<void> {
  const given = await exchange.tensors();
  const tensors = new Map<string, Tensor>();
  const answers: Record<string, unknown> = {};
  for (const { id, run, by } of await exchange.asked<readonly Asked[]>()) {
    try {
      const model = await loadModel(exchange.path(`${id}.onnx`));
      const probe = given.get(`${id}.probe`) as Tensor;
      const fresh = await Trainer.create(model, optionsOf(run));
      tensors.set(`${id}.predicted`, await fresh.predict(probe));
      await fresh.dispose();
      const data = dataOf(id, given);
      const { trainer, losses, order } = await train(model, run, data);
      tensors.set(`${id}.order`, order);
      const growths: unknown[] = [];
      for (const width of trainer.widths) {
        if (!width.growable) continue;
        const { loss, output } = await trainer.widen(width.id, { by });
        growths.push({ width: width.id, loss, output });
        await trainer.fit(data, { steps: 5 });
      }
      await trainer.save(exchange.path(`${id}-grown.onnx`));
      tensors.set(`${id}.grown`, await trainer.predict(probe));
      const blocked = trainer.widths
        .filter(({ growable }) => !growable)
        .map(({ id, reason }) => ({ id, reason }));
      answers[id] = { error: null, losses, growths, blocked };
      await trainer.dispose();
    } catch (thrown) {
      answers[id] = { error: thrown instanceof Error ? thrown.message : String(thrown) };
    }
  }
  await exchange.answer(answers, tensors);
}
