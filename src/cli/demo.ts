import { digits } from "../data/digits.ts";
import { mlp } from "../nn/mlp.ts";
import { htmlReport } from "../report/html-report.ts";
import { jsonReport } from "../report/json-report.ts";
import { diagnosisLine } from "../report/metrics-history.ts";
import { growthLine, pointLine } from "../report/metrics-lines.ts";
import { Recorder } from "../report/recorder.ts";
import type { RunArm, RunRecord } from "../report/run-record.ts";
import type { GrowthEvent } from "../training/growth-schedule.ts";
import { adam } from "../training/optimizers/adam.ts";
import { Trainer } from "../training/trainer.ts";
import { exitCodeOfSignal, exitCodes } from "./exit-code.ts";
import { clock, grouped, score, short, widthsText } from "./format.ts";
import type { CliIo } from "./io.ts";
import { growthText } from "./live-progress.ts";
import { RunFolder } from "./run-folder.ts";
import { StopRequest } from "./stop-request.ts";
import { version } from "./version.ts";

export interface DemoOptions {
  readonly out: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const steps = 2400;
const batchSize = 32;
const learningRate = 3e-3;
const hidden = { start: 8, end: 32 };
const events: readonly GrowthEvent[] = [
  { width: "hidden1", by: 8, at: 600 },
  { width: "hidden1", by: 16, at: 1200 },
];
/** Arms take turns in pieces of this many steps, so that whatever else the machine does slows both alike. */
const turn = 50;

/** `espalier demo`: the digits, grown and from scratch, side by side. Returns the exit code. */
export async function demo(options: DemoOptions, io: CliIo): Promise<number> {
  const folder = await RunFolder.forDemo(options.out);
  const { train, test } = await digits();
  const stop = new StopRequest(io);
  const arms: { readonly name: string; readonly trainer: Trainer; readonly recorder: Recorder }[] = [];
  const lines: string[] = [];
  const say = (text: string) => {
    if (!options.quiet) io.err(text);
  };
  const bar = (done: number) => {
    if (io.columns() !== undefined) say(`\r\u001b[2K${Math.round((100 * done) / steps)} % of ${steps} steps`);
  };
  const clear = () => {
    if (io.columns() !== undefined) say("\r\u001b[2K");
  };
  try {
    for (const [name, units, growths] of [
      ["grown", hidden.start, events],
      ["from scratch", hidden.end, []],
    ] as const) {
      const trainer = await Trainer.create(mlp([64, units, 10]), {
        optimizer: adam({ learningRate }),
        batchSize,
      });
      const recorder = new Recorder(trainer, train, {
        name,
        steps,
        test,
        growth: { events: growths },
        events: {
          point: (point) => void lines.push(pointLine(name, point)),
          diagnosis: (diagnosis) => void lines.push(diagnosisLine(name, diagnosis)),
          growth(record) {
            lines.push(growthLine(name, record));
            clear();
            say(`${growthText(record)}\n`);
          },
        },
      });
      arms.push({ name, trainer, recorder });
    }
    say(
      `Training on ${grouped(train.count)} handwritten digits: 64-${hidden.start}-10 that grows to 64-${hidden.end}-10, and 64-${hidden.end}-10 from scratch.\n`,
    );
    const started = performance.now();
    for (let done = turn; done <= steps; done += turn) {
      for (const { recorder } of arms) {
        if ((await recorder.advance(done, stop.signal)) !== "signal") continue;
        clear();
        io.err("Stopped; nothing was written.\n");
        return exitCodeOfSignal(stop.received ?? "SIGINT");
      }
      bar(done);
    }
    clear();
    const finished: RunArm[] = [];
    for (const { recorder } of arms) finished.push(await recorder.finish());
    const record = demoRecord(finished, io.now(), train.count, test.count);
    await folder.writeConfig({
      command: "demo",
      started: io.now(),
      options: { steps, batchSize, learningRate },
    });
    await folder.write("metrics.jsonl", lines.map((line) => `${line}\n`).join(""));
    await folder.write("report.json", jsonReport(record));
    await folder.write("report.html", htmlReport(record));
    await arms[0]?.trainer.save(folder.file("grown.onnx"));
    await arms[1]?.trainer.save(folder.file("from-scratch.onnx"));
    const seconds = (performance.now() - started) / 1000;
    io.out(
      options.json
        ? `${JSON.stringify(demoJson(finished, folder), null, 2)}\n`
        : demoText(finished, folder, test.count, seconds),
    );
    return exitCodes.success;
  } finally {
    stop.release();
    for (const { trainer } of arms) await trainer.dispose();
  }
}

function demoRecord(arms: readonly RunArm[], date: string, train: number, test: number): RunRecord {
  return {
    title: "espalier demo: digits, grown and from scratch",
    date,
    configuration: {
      data: "digits",
      "training examples": train,
      "test examples": test,
      grown: `64-${hidden.start}-10, ${events.map((event) => `+${event.by} at step ${"at" in event ? event.at : ""}`).join(", ")}`,
      "from scratch": `64-${hidden.end}-10`,
      activation: "relu",
      loss: "crossEntropy",
      optimizer: "adam",
      learningRate,
      batch: batchSize,
      steps,
      seed: 0,
      espalier: version(),
      node: process.version,
    },
    metric: "accuracy",
    arms,
  };
}

function demoJson(arms: readonly RunArm[], folder: RunFolder): object {
  return {
    arms: arms.map((arm) => ({
      name: arm.name,
      final: arm.final,
      parameters: arm.parameters,
      widths: arm.points.at(-1)?.widths,
      flops: arm.points.at(-1)?.flops,
      seconds: arm.points.at(-1)?.seconds,
      growths: arm.growths,
    })),
    files: {
      folder: folder.path,
      report: folder.file("report.html"),
      reportJson: folder.file("report.json"),
      metrics: folder.file("metrics.jsonl"),
      models: [folder.file("grown.onnx"), folder.file("from-scratch.onnx")],
    },
  };
}

function demoText(arms: readonly RunArm[], folder: RunFolder, tested: number, seconds: number): string {
  const growths = arms.flatMap((arm) => arm.growths);
  const moved = growths.filter((growth) => !growth.output.preserved).length;
  const rows = [
    ["", "test accuracy", "test loss", "hidden units", "parameters", "FLOPs", "seconds"],
    ...arms.map((arm) => {
      const last = arm.points.at(-1);
      return [
        arm.name,
        score("accuracy", arm.final.accuracy ?? Number.NaN),
        arm.final.loss.toFixed(4),
        widthsText(last?.widths ?? {}).replace("hidden1 ", ""),
        grouped(arm.parameters),
        short(last?.flops ?? 0),
        (last?.seconds ?? 0).toFixed(2),
      ];
    }),
  ];
  const columns = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const table = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(columns[0] ?? 0) : cell.padStart(columns[column] ?? 0),
      )
      .join("  "),
  );
  const [grown, scratch] = arms;
  const share = (grown?.points.at(-1)?.flops ?? 0) / (scratch?.points.at(-1)?.flops ?? 1);
  return [
    ...growths.map(
      (growth) =>
        `At step ${growth.step} hidden1 grew from ${growth.size.before} to ${growth.size.after} units: loss ${growth.loss.before.toFixed(6)} before, ${growth.loss.after.toFixed(6)} after.`,
    ),
    moved === 0
      ? "Nothing moved: every output stayed within rounding, and the new units had gradients to learn from."
      : `${moved} growths moved an output beyond rounding.`,
    "",
    ...table,
    "",
    `The grown network used ${(100 * share).toFixed(0)} % of the compute. One seed, ${tested} test examples: one example is ${(100 / tested).toFixed(2)} points, so small differences say nothing.`,
    `Report: ${folder.file("report.html")}  (${clock(seconds)} in all)`,
  ]
    .map((line) => `${line}\n`)
    .join("");
}
