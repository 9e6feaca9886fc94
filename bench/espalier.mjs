/** espalier itself as a contestant: speaks the protocol of peers/serve.mjs. */

import { readDataset } from "./dataset.mjs";
import { serve } from "./peers/serve.mjs";

let run;

await serve({
  async setup({ workload, threads, files, warmUp }) {
    const api = await import("./espalier-api.mjs");
    const data = api.buildDataset(workload, readDataset(files));
    const trainer = await api.createTrainer(workload, threads);
    run = (steps) => api.trainSteps(trainer, data, steps);
    await run(warmUp);
    return { version: api.version, threads, variants: ["trainer.trainStep"] };
  },
  measure: ({ steps }) => run(steps),
});
