import type { Model } from "../../graph/model.ts";
import { Recorder, type RecorderOptions, type RunStatus } from "../../report/record/recorder.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { withPreprocessing } from "../../training/graphs/preprocessing-nodes.ts";
import { withPolicyWords } from "../options/policy-option.ts";
import { exitCodeOfSignal, exitCodes } from "../print/exit-code.ts";
import type { CliIo } from "../print/io.ts";
import { decisionText, growthText, LiveProgress } from "../print/live-progress.ts";
import { RunOutput } from "./run-output.ts";
import { StopRequest } from "./stop-request.ts";
import type { TrainCommandOptions } from "./train-options.ts";
import { type RunPreparation, resumeRun, startRun } from "./train-preparation.ts";
import { resultJson, resultText, runRecord, type TrainOutcome } from "./train-result.ts";

/** `espalier train`. `given` are the options that were typed rather than defaulted. Returns the exit code. */
export async function train(
  options: TrainCommandOptions,
  given: ReadonlySet<string>,
  io: CliIo,
): Promise<number> {
  const run = options.resume === undefined ? await startRun(options) : await resumeRun(options, given);
  const stop = new StopRequest(io);
  try {
    return await carryOut(run, options, stop, io);
  } finally {
    stop.release();
    await run.trainer.dispose();
  }
}

/** The network including preprocessing: raw rows in, answers in their units out. */
function deployedModel(network: Model, { data, trainer, config }: RunPreparation): Model {
  const { preprocessing } = data.train;
  if (preprocessing === undefined) return network;
  const { output } = trainer.settings;
  return withPreprocessing(network, preprocessing, {
    // A model from elsewhere keeps taking images as before.
    nodes: preprocessing.features.kind === "table" || config.nodes !== false,
    ...(output === undefined ? {} : { output }),
  });
}

function recorderOf({ trainer, data, raw }: RunPreparation, options: RecorderOptions): Recorder {
  try {
    return new Recorder(trainer, data.train, options);
  } catch (error) {
    throw withPolicyWords(error, raw);
  }
}

async function carryOut(
  run: RunPreparation,
  options: TrainCommandOptions,
  stop: StopRequest,
  io: CliIo,
): Promise<number> {
  const { trainer, data, plan, steps } = run;
  const deployed = (network: Model) => deployedModel(network, run);
  const output = run.folder === undefined ? undefined : new RunOutput(run.folder, trainer, deployed);
  const progress = options.quiet ? undefined : new LiveProgress(io, trainer, steps);
  const recorderOptions: RecorderOptions = {
    name: "run",
    steps,
    test: data.test,
    growth: plan.growth,
    ...(plan.evaluateEvery === undefined ? {} : { evaluateEvery: plan.evaluateEvery }),
    ...(output === undefined
      ? {}
      : { checkpointEvery: plan.checkpointEvery ?? Math.max(1, Math.ceil(steps / 10)) }),
    ...(plan.patience === undefined || data.validation === undefined
      ? {}
      : { earlyStopping: { patience: plan.patience, validation: data.validation } }),
    ...(run.past === undefined ? {} : { past: run.past }),
    events: {
      step: (info) => progress?.step(info),
      async point(point) {
        progress?.point(point);
        await output?.point(point);
      },
      async decision(decision) {
        // Growths that were requested one by one need no explanation.
        if (!("events" in plan.growth)) progress?.note(decisionText(decision));
        await output?.decision(decision);
      },
      async growth(record) {
        progress?.note(growthText(record));
        await output?.growth(record);
      },
      diagnosis: (diagnosis) => output?.diagnosis(diagnosis),
      best: () => output?.best(),
      async checkpoint() {
        await output?.checkpoint();
      },
    },
  };
  const recorder = recorderOf(run, recorderOptions);
  // The folder is checked and then written only now that every check that needs no training has passed.
  if (options.resume === undefined) await run.folder?.refuseUsed();
  await output?.begin(run.config, run.metricsText);
  if (trainer.step > 0) progress?.note(`Continuing at step ${trainer.step} of ${steps}.`);
  else if (options.resume !== undefined)
    progress?.note("There is no checkpoint yet: starting again at step 0.");
  let status: RunStatus | "diverged";
  let divergence: unknown;
  try {
    status = await recorder.advance(steps, stop.signal);
    await trainer.settle();
  } catch (error) {
    if (!(error instanceof EspalierError && error.code === "DIVERGED")) throw error;
    status = "diverged";
    divergence = error;
  } finally {
    progress?.end();
  }
  await recorder.flush();
  const checkpoint = await output?.checkpoint();
  const arm = await recorder.finish();
  const outcome: TrainOutcome = {
    status: status === "signal" ? "interrupted" : status,
    step: arm.points.at(-1)?.step ?? 0,
    steps,
    epoch: trainer.progress.epoch,
    arm,
    best: recorder.best,
    seconds: recorder.seconds,
    examplesPerSecond: recorder.examplesPerSecond,
    checkpoint,
    folder: run.folder,
  };
  await output?.finish(runRecord(run, outcome, io.now()));
  if (divergence !== undefined) {
    if (run.folder !== undefined) io.err(`The last good weights are in ${run.folder.file("model.onnx")}.\n`);
    throw divergence;
  }
  io.out(options.json ? `${JSON.stringify(resultJson(run, outcome), null, 2)}\n` : resultText(run, outcome));
  if (status !== "signal") return exitCodes.success;
  io.err(
    run.folder === undefined
      ? "Stopped. Nothing was saved: there is no --out.\n"
      : `Stopped at step ${outcome.step}. Continue with: espalier train --resume ${run.folder.path}\n`,
  );
  return exitCodeOfSignal(stop.received ?? "SIGINT");
}
