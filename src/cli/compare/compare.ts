import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { platform } from "#platform";
import type { Arm, Comparison } from "../../compare/config.ts";
import type { JobResult } from "../../compare/job.ts";
import { comparisonPage } from "../../compare/page/page.ts";
import { firstPlan, type Planned, reportPlan, tuningPlan } from "../../compare/plan.ts";
import { readComparison } from "../../compare/read-config.ts";
import { type Failure, makeLedger, resultsJson } from "../../compare/results.ts";
import { checkTask } from "../../compare/run-job.ts";
import { TaskData } from "../../compare/task-data.ts";
import { tune } from "../../compare/tune.ts";
import { lossNamed } from "../../training/losses/index.ts";
import { lossFor } from "../options/network.ts";
import { wholeNumber } from "../options/option-values.ts";
import { exitCodeOfSignal, exitCodes } from "../print/exit-code.ts";
import type { CliIo } from "../print/io.ts";
import { RunFolder } from "../train/run-folder.ts";
import { StopRequest } from "../train/stop-request.ts";
import { runJobs, type WorkerPoolOptions } from "./compare-pool.ts";
import { CompareProgress } from "./compare-progress.ts";
import { compareText } from "./compare-text.ts";

export interface CompareOptions {
  readonly out: string;
  readonly dataDir?: string;
  readonly jobs?: string;
  readonly workers?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const examples = `
Examples:
  espalier compare experiments/digits-known.json --out runs/digits
  espalier compare experiments/mnist-mlp-known.json --data-dir data --workers 2 --out runs/mnist
  The same command continues where a comparison was stopped: finished runs are kept, others resume from their checkpoint.
`;

export function compareCommand(command: Command, io: CliIo, finish: (code: number) => void): Command {
  return command
    .description(
      "Compare ways to train: FLOPs and seconds to the same loss, over many seeds, all tuned with equal effort.",
    )
    .argument("<config>", "JSON file: task, budget, arms, tuning, seeds, question")
    .requiredOption("--out <dir>", "folder for the results; an interrupted comparison continues there")
    .option("--data-dir <dir>", "folder of the files that the configuration names (default: its own folder)")
    .option(
      "--jobs <dir>",
      "folder of finished runs, which comparisons may share if they do not run at once (default: OUT/jobs)",
    )
    .option("--workers <count>", "worker processes of one thread each (default: the cores)")
    .option("--json", "print one JSON document on stdout")
    .option("--quiet", "no progress on stderr")
    .option("--debug", "print stack traces")
    .addHelpText("after", examples)
    .action(async (path: string, options: CompareOptions) => finish(await compare(path, options, io)));
}

/** `espalier compare`. Returns the exit code. `pool` is for tests. */
export async function compare(
  path: string,
  options: CompareOptions,
  io: CliIo,
  pool: Partial<WorkerPoolOptions> = {},
): Promise<number> {
  const comparison = readComparison(new TextDecoder().decode(await platform.readFile(path)), path);
  const workers =
    options.workers === undefined ? availableParallelism() : wholeNumber("--workers", options.workers);
  const dataFolder = options.dataDir ?? dirname(resolve(path));
  await checkData(comparison, dataFolder);
  const folder = await RunFolder.forCommand(options.out, "compare");
  await folder.writeConfig({ command: "compare", started: io.now(), options: { ...comparison } });
  const stop = new StopRequest(io);
  const progress = new CompareProgress(io, options.quiet ?? false);
  const failures: Failure[] = [];
  const results = new Map<string, JobResult>();

  /** False if a signal came. */
  const run = async (stage: Failure["stage"], planned: readonly Planned[]): Promise<boolean> => {
    const armOf = ({ arm }: Planned) => arm?.name ?? "first phase";
    const names = new Map(planned.map((one) => [one.key, armOf(one)]));
    progress.begin(stage, names);
    const outcomes = await runJobs(new Map(planned.map(({ key, job }) => [key, job])), {
      jobs: options.jobs ?? folder.file("jobs"),
      dataFolder,
      workers,
      signal: stop.signal,
      events: {
        progress: (key, share) => progress.update(key, share),
        retry: (key, reason) =>
          progress.note(`${names.get(key)}: ${reason}; its run continues from its checkpoint`),
      },
      ...pool,
    });
    progress.clear();
    if (outcomes === undefined) return false;
    for (const one of planned) {
      const outcome = outcomes.get(one.key);
      if (outcome === undefined) continue;
      if ("result" in outcome) results.set(one.key, outcome.result);
      else failures.push({ arm: armOf(one), seed: one.job.seed, stage, reason: outcome.failure });
    }
    return true;
  };

  try {
    const ledger = await runStages(comparison, run, results, failures);
    if (ledger === undefined) {
      io.err(`Stopped. To continue, run the same command: espalier compare ${path} --out ${options.out}\n`);
      return exitCodeOfSignal(stop.received ?? "SIGINT");
    }
    const json = resultsJson(ledger);
    await folder.write("results.json", json);
    await folder.write("report.html", comparisonPage(ledger, io.now()));
    io.out(options.json ? json : compareText(ledger, options.out));
    return failures.length > 0 ? exitCodes.failure : exitCodes.success;
  } finally {
    stop.release();
  }
}

/** Throws what loading the data throws: better once here than in every run. */
async function checkData({ task, seeds, arms }: Comparison, folder: string): Promise<void> {
  const parts = await new TaskData(folder).parts(task, seeds.report[0] ?? 0);
  lossFor(parts.train, lossNamed(task.loss.name, task.loss.options));
  await checkTask(task, (arms[0] as Arm).size, parts);
}

async function runStages(
  comparison: Comparison,
  run: (stage: Failure["stage"], planned: readonly Planned[]) => Promise<boolean>,
  results: ReadonlyMap<string, JobResult>,
  failures: readonly Failure[],
) {
  const first = await firstPlan(comparison);
  if (!(await run("first phase", first))) return undefined;
  const tuning = await tuningPlan(comparison);
  if (!(await run("tuning", tuning))) return undefined;
  const { tuned, chosen } = tune(comparison, tuning, results);
  const report = await reportPlan(comparison, chosen);
  if (!(await run("report", report))) return undefined;
  return makeLedger({ comparison, tuned, first, report, results, failures });
}
