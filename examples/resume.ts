// Stop in the middle of a run, across a growth, and continue as if nothing had happened, bit for bit.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adam, digits, mlp, Trainer } from "espalier";

const { train } = await digits();
const folder = await mkdtemp(join(tmpdir(), "espalier-resume-"));

const first = await Trainer.create(mlp([64, 8, 10]), { optimizer: adam({ learningRate: 3e-3 }) });
await first.fit(train, { steps: 200 });
await first.widen("hidden1", { by: 8 });
await first.fit(train, { steps: 100 });
await first.saveCheckpoint(folder);
await first.fit(train, { steps: 200 });

const second = await Trainer.resume(folder);
console.log(`resumed at step ${second.step}, with ${second.growths.length} growth behind it`);
await second.fit(train, { steps: 200 });

const weights = (trainer: Trainer) =>
  [...trainer.model.graph.parameters.values()].map(({ data }) => [...data]);
const equal = JSON.stringify(weights(first)) === JSON.stringify(weights(second));
console.log(equal ? "both runs ended with the same weights, bit for bit" : "the runs differ");

await rm(folder, { recursive: true });
await first.dispose();
await second.dispose();

export { equal };
