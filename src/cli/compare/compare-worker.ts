import { jobKey } from "../../compare/job.ts";
import { runJob } from "../../compare/run-job.ts";
import { TaskData } from "../../compare/task-data.ts";
import { jobStore, writeResult } from "./compare-folder.ts";
import type { FromWorker, ToWorker } from "./compare-messages.ts";

/** A worker process of `espalier compare`. Arguments: folder of jobs, folder of data, seconds between checkpoints. */
const [jobs = "", dataFolder = "", saveSeconds = ""] = process.argv.slice(2);
const store = jobStore(jobs);
const data = new TaskData(dataFolder);
const stop = new AbortController();
const tell = (message: FromWorker) => process.send?.(message);

process.on("message", (message: ToWorker) => {
  if (message.kind === "stop") stop.abort();
  else void run(message.job);
});
// Ctrl-C reaches the whole process group: the parent decides, and asks workers to stop.
process.on("SIGINT", () => {});
// Without the parent nobody would read the results.
process.on("disconnect", () => process.exit());

async function run(job: Parameters<typeof runJob>[0]): Promise<void> {
  let told = 0;
  try {
    const result = await runJob(job, {
      data,
      store,
      signal: stop.signal,
      saveSeconds: Number(saveSeconds),
      progress(share) {
        if (performance.now() - told < 250) return;
        told = performance.now();
        tell({ kind: "progress", share });
      },
    });
    if (result === undefined) {
      tell({ kind: "stopped" });
      return;
    }
    await writeResult(store, await jobKey(job), result);
    tell({ kind: "done" });
  } catch (error) {
    tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  }
}
