import type { RunArm, RunRecord } from "../../report/record/run-record.ts";
import { undoneTrials } from "../../report/record/undone-trials.ts";
import { grouped, short } from "../../tensor/number-text.ts";
import { parametersOf, parametersText } from "../../training/settings/parameter-summary.ts";
import { score, visible, widthsText } from "../print/format.ts";

import { growthText } from "../print/live-progress.ts";
import { version } from "../print/version.ts";
import type { RunFolder } from "./run-folder.ts";
import { htmlName, jsonName, metricsName, modelName } from "./run-output.ts";
import type { RunPreparation } from "./train-preparation.ts";

/** How a training run ended. */
export interface TrainOutcome {
  readonly status: "complete" | "early stopping" | "budget" | "interrupted" | "paused" | "diverged";
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  readonly arm: RunArm;
  readonly best: { readonly step: number; readonly score: number } | undefined;
  readonly seconds: number;
  readonly examplesPerSecond: number;
  readonly checkpoint: string | undefined;
  readonly folder: RunFolder | undefined;
}

/** The one JSON document of `--json`. */
export function resultJson(run: RunPreparation, outcome: TrainOutcome): object {
  const { arm, folder, checkpoint } = outcome;
  return {
    status: outcome.status,
    step: outcome.step,
    steps: outcome.steps,
    epoch: outcome.epoch,
    final: arm.final,
    best: outcome.best,
    network: networkText(arm, run),
    widths: arm.points.at(-1)?.widths,
    parameters: arm.parameters,
    trainedAndFrozen: parametersOf(run.trainer.model, run.trainer.settings.frozen),
    flops: arm.points.at(-1)?.flops,
    seconds: outcome.seconds,
    examplesPerSecond: outcome.examplesPerSecond,
    notes: run.notes,
    growths: arm.growths,
    decisions: arm.decisions,
    files:
      folder === undefined
        ? undefined
        : {
            folder: folder.path,
            report: folder.file(htmlName),
            reportJson: folder.file(jsonName),
            metrics: folder.file(metricsName),
            model: folder.file(modelName),
            checkpoint,
          },
  };
}

/** A short account for people. */
export function resultText(run: RunPreparation, outcome: TrainOutcome): string {
  const { arm, folder, best } = outcome;
  const { train, test } = run.data;
  const last = arm.points.at(-1);
  const undone = undoneTrials(arm.decisions);
  const scores = Object.entries(arm.final).map(([name, value]) => `${name} ${score(name, value)}`);
  const how = {
    complete: "trained",
    "early stopping": "stopped early",
    budget: "spent its budget after",
    interrupted: "interrupted",
    paused: "paused",
    diverged: "diverged",
  }[outcome.status];
  return [
    `${train.name.replace(/ train$/, "")}: ${grouped(train.count)} training and ${grouped(test.count)} test examples${targetText(run)}`,
    `${how} ${grouped(outcome.step)} of ${grouped(outcome.steps)} steps, ${outcome.seconds.toFixed(2)} s, ${short(last?.flops ?? 0)} FLOPs${outcome.examplesPerSecond > 0 ? `, ${grouped(outcome.examplesPerSecond)} examples/s` : ""}`,
    `network: ${networkText(arm, run)}, ${grouped(arm.parameters)} parameters`,
    ...run.notes.map((note) => visible(`note: ${note}`)),
    ...(run.plan.model === undefined ? [] : selectionText(run).map((line) => `  ${line}`)),
    ...arm.growths.map((growth) => `  ${growthText(growth)}`),
    ...(undone.count > 0
      ? [
          `tried and undone: ${undone.count} ${undone.count === 1 ? "growth" : "growths"}, which cost ${short(undone.flops)} FLOPs`,
        ]
      : []),
    ...(best === undefined ? [] : [`weights of step ${best.step}, the best on the validation data`]),
    `test: ${scores.join(", ")}`,
    ...(folder === undefined ? [] : [`report: ${folder.file(htmlName)}`, `model: ${folder.file(modelName)}`]),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

/** ", regression of price" */
function targetText({ data }: RunPreparation): string {
  const target = data.train.preprocessing?.target;
  if (target === undefined) return "";
  return target.kind === "number"
    ? `, regression of ${target.name}`
    : `, classification of ${target.name} into ${target.classes.length} classes`;
}

/** The run in the form that reports show. */
export function runRecord(run: RunPreparation, outcome: TrainOutcome, date: string): RunRecord {
  const metric = run.trainer.metrics[0]?.name;
  const { train, test, validation } = run.data;
  const options = Object.entries(run.raw).flatMap(([name, value]) => {
    const shown = Array.isArray(value) ? value.join(" ") : value;
    return shown === undefined || shown === "" ? [] : [[name, shown as string | boolean] as const];
  });
  const cut = outcome.status === "interrupted" || outcome.status === "diverged";
  const title = `espalier train: ${train.name}`;
  return {
    title: cut
      ? `${title}, ${outcome.status} at step ${grouped(outcome.step)} of ${grouped(outcome.steps)}`
      : title,
    date,
    configuration: {
      ...Object.fromEntries(options),
      network: networkText(outcome.arm, run),
      "training examples": train.count,
      ...(validation === undefined ? {} : { "validation examples": validation.count }),
      "test examples": test.count,
      ...(run.plan.model === undefined ? {} : { parameters: selectionText(run).join("; ") }),
      "steps done": `${outcome.step} of ${outcome.steps} (${outcome.status})`,
      espalier: version(),
      node: process.version,
    },
    ...(metric === undefined ? {} : { metric }),
    arms: [outcome.arm],
  };
}

/** What is trained, frozen and tied in a loaded model. */
function selectionText({ trainer }: RunPreparation): readonly string[] {
  return parametersText(parametersOf(trainer.model, trainer.settings.frozen));
}

/** "hidden1 8 → 32" for what grew, "hidden1 32" for what did not. */
function networkText(arm: RunArm, run: RunPreparation): string {
  const first = arm.points[0]?.widths ?? {};
  const now = Object.fromEntries(
    run.trainer.widths.filter((width) => width.growable).map((width) => [width.id, width.size]),
  );
  const text = Object.entries(now).map(([width, size]) =>
    first[width] === undefined || first[width] === size
      ? widthsText({ [width]: size })
      : `${width} ${first[width]} → ${size}`,
  );
  return text.join(", ") || "no hidden widths";
}
