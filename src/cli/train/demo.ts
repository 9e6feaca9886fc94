import { digits } from "../../data/digits.ts";
import { encodeModel } from "../../formats/onnx/index.ts";
import { mlp } from "../../nn/mlp.ts";
import { htmlReport } from "../../report/html-report.ts";
import { jsonReport } from "../../report/json-report.ts";
import { diagnosisLine } from "../../report/record/metrics-history.ts";
import { decisionLine, growthLine, pointLine } from "../../report/record/metrics-lines.ts";
import { Recorder } from "../../report/record/recorder.ts";
import type { RunArm, RunRecord } from "../../report/record/run-record.ts";
import { adam } from "../../training/optimizers/adam.ts";
import type { RuledPolicy } from "../../training/policy/policy.ts";
import { Trainer } from "../../training/trainer/trainer.ts";
import { exitCodeOfSignal, exitCodes } from "../print/exit-code.ts";
import type { CliIo } from "../print/io.ts";
import { decisionText, growthText } from "../print/live-progress.ts";
import { version } from "../print/version.ts";
import { type DemoPair, demoJson, demoText } from "./demo-result.ts";
import { RunFolder } from "./run-folder.ts";
import { StopRequest } from "./stop-request.ts";

export interface DemoOptions {
  readonly out: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const steps = 2400;
const batchSize = 32;
const learningRate = 3e-3;
const layers = { start: [64, 8, 8, 10], end: [64, 32, 16, 10] } as const;
/**
 * Grows when the loss no longer falls by a quarter in a hundred steps, in the width that promises the most
 * for its FLOPs, up to the number of parameters that the other network has from the start.
 */
const policy: RuledPolicy = {
  when: { plateau: { window: 100, minGain: 0.25 } },
  where: { best: "flops" },
  howMany: { fraction: 1 },
  stop: { parameters: parameters(layers.end) },
};
/** Both networks are trained once with each; the curves show the first. */
const seeds = [0, 1, 2, 3, 4];
/** The arms alternate in pieces of this many steps, so that other load on the machine slows both alike. */
const turn = 50;

/** `espalier demo`: the digits, grown and from scratch, side by side. Returns the exit code. */
export async function demo(options: DemoOptions, io: CliIo): Promise<number> {
  const folder = await RunFolder.forCommand(options.out, "demo");
  const stop = new StopRequest(io);
  const terminal = !options.quiet && io.columns() !== undefined;
  const clear = () => {
    if (terminal) io.err("\r\u001b[2K");
  };
  const say = (text: string) => {
    clear();
    if (!options.quiet) io.err(`${text}\n`);
  };
  const started = performance.now();
  try {
    say(
      `Training on handwritten digits: ${layers.start.join("-")}, which a policy grows when and where it expects growth to pay, and ${layers.end.join("-")} from scratch; ${seeds.length} times, with different data splits and initial weights.`,
    );
    const pairs: DemoPair[] = [];
    const lines: string[] = [];
    for (const seed of seeds) {
      const first = seed === seeds[0];
      const pair = await trainPair(seed, {
        signal: stop.signal,
        line: (text) => {
          if (first) lines.push(text);
        },
        growth: (text) => {
          if (first) say(text);
        },
        progress: (share) => {
          if (terminal)
            io.err(`\r\u001b[2K${Math.round((100 * (pairs.length + share)) / seeds.length)} % of the demo`);
        },
      });
      if (pair === undefined) {
        clear();
        io.err("Stopped; nothing was written.\n");
        return exitCodeOfSignal(stop.received ?? "SIGINT");
      }
      pairs.push(pair);
    }
    clear();
    const shown = pairs[0] as DemoPair;
    const record = demoRecord(shown, io.now());
    // Written first: if the rest fails, the next demo still recognizes the folder as its own.
    await folder.writeConfig({
      command: "demo",
      started: io.now(),
      options: { steps, batchSize, learningRate },
    });
    await folder.write("metrics.jsonl", lines.map((line) => `${line}\n`).join(""));
    await folder.write("report.json", jsonReport(record));
    await folder.write("report.html", htmlReport(record));
    await folder.writeBytes("grown.onnx", shown.models.grown);
    await folder.writeBytes("from-scratch.onnx", shown.models.scratch);
    const seconds = (performance.now() - started) / 1000;
    io.out(
      options.json
        ? `${JSON.stringify(demoJson(pairs, folder, seconds), null, 2)}\n`
        : demoText(pairs, folder, seconds, options.quiet ?? false),
    );
    return exitCodes.success;
  } finally {
    stop.release();
  }
}

interface PairEvents {
  readonly signal: AbortSignal;
  readonly line: (text: string) => void;
  readonly growth: (text: string) => void;
  readonly progress: (share: number) => void;
}

/** Both arms on one split of the digits, alternating; undefined if a signal stopped them. */
async function trainPair(seed: number, on: PairEvents): Promise<DemoPair | undefined> {
  const { train, test } = await digits({ seed });
  const start = async (name: string, sizes: readonly number[], growth?: RuledPolicy) => {
    const trainer = await Trainer.create(mlp(sizes, { seed }), {
      optimizer: adam({ learningRate }),
      batchSize,
      seed,
    });
    const recorder = new Recorder(trainer, train, {
      name,
      steps,
      test,
      ...(growth === undefined ? {} : { growth }),
      events: {
        point: (point) => on.line(pointLine(name, point)),
        diagnosis: (diagnosis) => on.line(diagnosisLine(name, diagnosis)),
        decision(decision) {
          on.line(decisionLine(name, decision));
          on.growth(decisionText(decision));
        },
        growth(record) {
          on.line(growthLine(name, record));
          on.growth(growthText(record));
        },
      },
    });
    return { trainer, recorder };
  };
  const grown = await start("grown", layers.start, policy);
  const scratch = await start("from scratch", layers.end);
  try {
    for (let done = turn; done <= steps; done += turn) {
      // Which one goes first alternates, too.
      const order = (done / turn) % 2 === 0 ? [grown, scratch] : [scratch, grown];
      for (const { recorder } of order) {
        if ((await recorder.advance(done, on.signal)) === "signal") return undefined;
      }
      on.progress(done / steps);
    }
    return {
      seed,
      examples: { train: train.count, test: test.count },
      arms: { grown: await grown.recorder.finish(), scratch: await scratch.recorder.finish() },
      models: { grown: encodeModel(grown.trainer.model), scratch: encodeModel(scratch.trainer.model) },
    };
  } finally {
    await grown.trainer.dispose();
    await scratch.trainer.dispose();
  }
}

function demoRecord({ arms, examples, seed }: DemoPair, date: string): RunRecord {
  const both: readonly RunArm[] = [arms.grown, arms.scratch];
  return {
    title: "espalier demo: digits, grown and from scratch",
    date,
    configuration: {
      data: "digits",
      "training examples": examples.train,
      "test examples": examples.test,
      grown: layers.start.join("-"),
      policy: JSON.stringify(policy),
      "from scratch": layers.end.join("-"),
      activation: "relu",
      loss: "crossEntropy",
      optimizer: "adam",
      learningRate,
      batch: batchSize,
      steps,
      seed,
      espalier: version(),
      node: process.version,
    },
    metric: "accuracy",
    arms: both,
  };
}

/** Weights and biases of linear layers. */
function parameters(sizes: readonly number[]): number {
  return sizes.slice(1).reduce((sum, units, index) => sum + units * ((sizes[index] as number) + 1), 0);
}
