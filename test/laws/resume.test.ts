import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/formats/safetensors.ts";
import type { Model, Value } from "../../src/graph/model.ts";
import { cnn } from "../../src/nn/cnn.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { EspalierError } from "../../src/tensor/errors.ts";
import { Random } from "../../src/tensor/random.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { adam, adamw } from "../../src/training/optimizers/adam.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import { cosineRate, stepRate } from "../../src/training/schedules/index.ts";
import type { TrainerOptions } from "../../src/training/settings/options.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { childScript } from "../child-script.ts";
import { advance, begin, totalSteps } from "./checkpoint-child.ts";
import { normalFeatures } from "./exact-network.ts";
import { stateText } from "./state-text.ts";

const seconds = 1000;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-resume-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Run {
  readonly name: string;
  readonly model: () => Model;
  readonly options: TrainerOptions;
  /** Width to widen after each number of steps. */
  readonly growths: ReadonlyMap<number, string>;
}

const runs: readonly Run[] = [
  {
    name: "mlp, dropout, BatchNorm, Adam, cosine",
    model: () => mlp([6, 5, 4, 3], { dropout: 0.3, batchNorm: true }),
    options: { optimizer: adam({ learningRate: cosineRate(1e-2, { steps: 60, warmup: 5 }) }), clipNorm: 1 },
    growths: new Map([
      [11, "hidden1"],
      [23, "hidden2"],
      [31, "hidden1"],
    ]),
  },
  {
    name: "mlp, momentum, step schedule, the graph learner",
    model: () => mlp([6, 5, 3], { activation: "tanh" }),
    options: {
      optimizer: sgd({
        learningRate: stepRate(0.05, { every: 13, factor: 0.5 }),
        momentum: 0.9,
        nesterov: true,
      }),
      update: "graph",
      clipValue: 0.5,
    },
    growths: new Map([[17, "hidden1"]]),
  },
  {
    name: "mlp, plain SGD: no optimizer state",
    model: () => mlp([6, 5, 3]),
    options: { optimizer: sgd({ learningRate: 0.05 }) },
    growths: new Map([[20, "hidden1"]]),
  },
  {
    name: "cnn, BatchNorm, dropout, AdamW",
    model: () =>
      cnn({ input: [1, 6, 6], filters: [3], hidden: [5], classes: 3, batchNorm: true, dropout: 0.25 }),
    options: { optimizer: adamw({ learningRate: 3e-3 }), seed: 12 },
    growths: new Map([
      [10, "conv1"],
      [22, "hidden1"],
    ]),
  },
  {
    name: "mlp, AdamW, newborns",
    model: () => mlp([6, 5, 4, 3], { dropout: 0.3 }),
    options: {
      optimizer: adamw({ learningRate: cosineRate(1e-2, { steps: 60 }), weightDecay: 0.1 }),
      newborn: { warmup: 9, youth: 6, rate: 0.3 },
    },
    growths: new Map([
      [11, "hidden1"],
      [19, "hidden2"],
      [23, "hidden1"],
    ]),
  },
  {
    name: "cnn, momentum, newborns, the graph learner",
    model: () => cnn({ input: [1, 6, 6], filters: [3], hidden: [5], classes: 3 }),
    options: {
      optimizer: sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 0.01 }),
      newborn: { warmup: 9, youth: 6 },
      update: "graph",
    },
    growths: new Map([
      [10, "conv1"],
      [20, "hidden1"],
    ]),
  },
];

const last = 40;

/** 50 examples in batches of 16: three whole batches and a partial one. */
function labeled(model: Model) {
  const dims = (model.graph.inputs[0] as Value).shape.slice(1) as readonly number[];
  const draws = new Random(1, "labels");
  return dataset({
    features: normalFeatures([50, ...dims], 8).data,
    featureDims: dims,
    labels: Int32Array.from({ length: 50 }, () => draws.integer(3)),
  });
}

async function goOn(trainer: Trainer, run: Run, until: number): Promise<number[]> {
  const data = labeled(run.model());
  const losses: number[] = [];
  while (trainer.step < until) {
    const width = run.growths.get(trainer.step);
    if (width !== undefined && trainer.growths.at(-1)?.step !== trainer.step)
      await trainer.widen(width, { by: 2 });
    losses.push((await trainer.trainStep(data)).loss);
  }
  return losses;
}

const start = (run: Run) => Trainer.create(run.model(), { batchSize: 16, seed: 5, ...run.options });

async function failure(work: Promise<unknown>): Promise<EspalierError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof EspalierError)) throw new Error(`expected an EspalierError, got ${String(error)}`);
  return error;
}

describe.each(runs)("resume: $name", (run) => {
  test("an uninterrupted run equals a resumed one, bit for bit", { timeout: 60 * seconds }, async () => {
    const whole = await start(run);
    const losses = await goOn(whole, run, last);
    const expected = stateText(whole.state());
    // Before, at, and after growths; at the end of an epoch (multiples of 4) and within one.
    for (const stop of [1, 4, 11, 12, 17, 20, 22, 24, 33]) {
      for (const how of ["bytes", "folder"] as const) {
        const first = await start(run);
        await goOn(first, run, stop);
        const place = join(folder, `${run.name.length}-${stop}`);
        if (how === "folder") await first.saveCheckpoint(place);
        const source = how === "folder" ? place : await first.checkpoint();
        const before = stateText(first.state());
        await first.dispose();
        const second = await Trainer.resume(source);
        expect(stateText(second.state())).toBe(before);
        expect(await goOn(second, run, last), `${how} at ${stop}`).toEqual(losses.slice(stop));
        expect(stateText(second.state()), `${how} at ${stop}`).toBe(expected);
        await second.dispose();
      }
    }
    await whole.dispose();
  });

  test("it survives a save and a resume at every step", { timeout: 60 * seconds }, async () => {
    const whole = await start(run);
    await goOn(whole, run, 26);
    let trainer = await start(run);
    for (let step = 1; step <= 26; step++) {
      await goOn(trainer, run, step);
      const bytes = await trainer.checkpoint();
      await trainer.dispose();
      trainer = await Trainer.resume(bytes);
      expect(Buffer.from(await trainer.checkpoint()).equals(Buffer.from(bytes))).toBe(true);
    }
    expect(stateText(trainer.state())).toBe(stateText(whole.state()));
    await trainer.dispose();
    await whole.dispose();
  });

  test("a cold start with the same weights takes another path", async () => {
    const whole = await start(run);
    await goOn(whole, run, 21);
    const cold = await Trainer.create(whole.model, { batchSize: 16, seed: 5, ...run.options });
    const data = labeled(run.model());
    for (let step = 0; step < 6; step++) {
      await whole.trainStep(data);
      await cold.trainStep(data);
    }
    expect(stateText(cold.state())).not.toBe(stateText(whole.state()));
    const weights = (trainer: Trainer) =>
      (trainer.model.graph.parameters.get("output.weight") as Tensor).data;
    expect(weights(cold)).not.toEqual(weights(whole));
    await whole.dispose();
    await cold.dispose();
  });
});

describe("a divergence between birth and resume", () => {
  const run = runs.find(({ name }) => name.includes("AdamW, newborns")) as Run;
  const data = labeled(run.model());
  const spoilt = { ...data, features: data.features.map(() => Number.NaN) };

  test("restarts moments but no births: the resumed run continues like the other", async () => {
    const whole = await start(run);
    await goOn(whole, run, 14);
    const births = structuredClone(whole.state().learner.births);
    expect((await failure(whole.trainStep(spoilt))).code).toBe("DIVERGED");
    expect(whole.state().learner.births).toEqual(births);
    expect(whole.state().learner.restart).toBe(14);
    const second = await Trainer.resume(await whole.checkpoint());
    expect(stateText(second.state())).toBe(stateText(whole.state()));
    expect(await goOn(second, run, last)).toEqual(await goOn(whole, run, last));
    expect(stateText(second.state())).toBe(stateText(whole.state()));
    await whole.dispose();
    await second.dispose();
  });
});

test("a checkpoint of version 1, which had no newborns, restarts or rollbacks, can be resumed", async () => {
  const run = runs[0] as Run;
  const whole = await start(run);
  await goOn(whole, run, 13);
  const now = await whole.checkpoint();
  const { tensors, metadata } = decodeSafetensors(now);
  const without = (key: string, name: string) => {
    const { [name]: _, ...others } = JSON.parse(metadata.get(key) as string);
    return JSON.stringify(others);
  };
  const old = new Map([
    ["espalier", "1"],
    ["sha256", "0".repeat(64)],
    ["settings", without("settings", "newborn")],
    ["progress", without("progress", "rollbacks")],
    ["variables", metadata.get("variables") as string],
  ]);
  const bytes = encodeSafetensors(tensors, old);
  const digest = createHash("sha256").update(bytes).digest("hex");
  bytes.set(new TextEncoder().encode(digest), Buffer.from(bytes).indexOf("0".repeat(64)));
  const second = await Trainer.resume(bytes);
  expect(second.settings.newborn).toBeUndefined();
  expect(stateText(second.state())).toBe(stateText(whole.state()));
  expect(await goOn(second, run, last)).toEqual(await goOn(whole, run, last));
  await whole.dispose();
  await second.dispose();
});

describe("a damaged folder", () => {
  const run = runs[0] as Run;

  /** A folder with the checkpoints of steps 8 and 16. */
  async function twoCheckpoints(name: string): Promise<{ place: string; newest: string; older: string }> {
    const place = join(folder, name);
    const trainer = await start(run);
    await goOn(trainer, run, 8);
    const older = await trainer.saveCheckpoint(place);
    await goOn(trainer, run, 16);
    const newest = await trainer.saveCheckpoint(place);
    await trainer.dispose();
    return { place, newest, older };
  }

  async function offersStep8(place: string): Promise<void> {
    const listing = await contents(place);
    const error = await failure(Trainer.resume(place));
    expect(error.code).toBe("CHECKPOINT_CORRUPT");
    expect(error.remedy).toContain("{ step: 8 }");
    expect(await contents(place)).toEqual(listing);
    const trainer = await Trainer.resume(place, { step: 8 });
    expect(trainer.step).toBe(8);
    const whole = await start(run);
    await goOn(whole, run, last);
    await goOn(trainer, run, last);
    expect(stateText(trainer.state())).toBe(stateText(whole.state()));
    await whole.dispose();
    await trainer.dispose();
  }

  async function contents(place: string): Promise<readonly (readonly [string, string])[]> {
    const names = (await readdir(place)).sort();
    return Promise.all(
      names.map(async (name) => [name, (await readFile(join(place, name))).toString("base64")] as const),
    );
  }

  test("any flipped byte of the newest checkpoint is found, and the older one is offered", async () => {
    const { place, newest } = await twoCheckpoints("flipped");
    const good = await readFile(newest);
    const draws = new Random(2, "flips");
    for (let flip = 0; flip < 200; flip++) {
      const bytes = Buffer.from(good);
      const at = draws.integer(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << draws.integer(8));
      expect((await failure(Trainer.resume(new Uint8Array(bytes)))).code).toBe("CHECKPOINT_CORRUPT");
      if (flip % 50 === 0) {
        await writeFile(newest, bytes);
        expect((await failure(Trainer.resume(place))).code).toBe("CHECKPOINT_CORRUPT");
      }
    }
    await offersStep8(place);
  });

  test("a truncated newest checkpoint", async () => {
    const { place, newest } = await twoCheckpoints("truncated");
    const good = await readFile(newest);
    for (const length of [0, 1, 7, 8, 100, 1000, good.length - 1]) {
      expect((await failure(Trainer.resume(new Uint8Array(good.subarray(0, length))))).code).toBe(
        "CHECKPOINT_CORRUPT",
      );
    }
    await truncate(newest, good.length - 1);
    await offersStep8(place);
  });

  test("a missing newest checkpoint", async () => {
    const { place, newest } = await twoCheckpoints("missing");
    await rm(newest);
    await offersStep8(place);
  });

  test("two checkpoints of one step: the older of them is offered too", async () => {
    const place = join(folder, "one step");
    const trainer = await start(run);
    await goOn(trainer, run, 8);
    await trainer.saveCheckpoint(place);
    await trainer.widen("hidden1", { by: 3 });
    const newest = await trainer.saveCheckpoint(place);
    await trainer.dispose();
    await truncate(newest, 1000);
    const error = await failure(Trainer.resume(place));
    expect(error.code).toBe("CHECKPOINT_CORRUPT");
    expect(error.remedy).toContain("{ step: 8 }");
    const older = await Trainer.resume(place, { step: 8 });
    expect(older.growths).toEqual([]);
    await older.dispose();
  });

  test("nothing left to offer", async () => {
    const { place, newest, older } = await twoCheckpoints("hopeless");
    await truncate(newest, 10);
    await truncate(older, 10);
    const error = await failure(Trainer.resume(place));
    expect(error.code).toBe("CHECKPOINT_CORRUPT");
    expect(error.remedy).toContain("No older checkpoint");
  });

  test("a half-written manifest is reported, and the files can still be resumed from", async () => {
    const { place, newest } = await twoCheckpoints("manifest");
    const path = join(place, "manifest.json");
    const text = await readFile(path, "utf8");
    const broken = [
      text.slice(0, text.length / 2),
      "",
      "null",
      "[]",
      "{}",
      text.replace("step-", "../step-"),
    ];
    for (const manifest of broken) {
      await writeFile(path, manifest);
      const error = await failure(Trainer.resume(place));
      expect(error.code, JSON.stringify(manifest)).toBe("CHECKPOINT_CORRUPT");
      expect(error.remedy).toContain("step-*.safetensors");
    }
    const trainer = await Trainer.resume(new Uint8Array(await readFile(newest)));
    expect(trainer.step).toBe(16);
    await trainer.dispose();
  });

  test("a folder without checkpoints, an unknown step", async () => {
    const empty = join(folder, "empty");
    await mkdir(empty);
    expect((await failure(Trainer.resume(empty))).code).toBe("CHECKPOINT_MISSING");
    expect((await failure(Trainer.resume(join(folder, "nowhere")))).code).toBe("CHECKPOINT_MISSING");
    const { place } = await twoCheckpoints("unknown step");
    const error = await failure(Trainer.resume(place, { step: 9 }));
    expect(error.code).toBe("CHECKPOINT_MISSING");
    expect(error.message).toContain("8, 16");
  });

  test("bytes that are not a checkpoint", async () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(1000), new TextEncoder().encode('{"sha256":"')]) {
      expect((await failure(Trainer.resume(bytes))).code).toBe("CHECKPOINT_CORRUPT");
    }
  });
});

describe("kill -9", () => {
  test("at random moments, the folder always resumes, and the run ends where it would have", {
    timeout: 300 * seconds,
  }, async () => {
    const place = join(folder, "killed");
    const script = await childScript(
      import.meta.filename,
      `import { run } from "./checkpoint-child.ts";
      await run(process.argv[2], (step) => process.stdout.write(step + "\\n"));`,
    );
    const draws = new Random(Number(process.env.ESPALIER_SEED ?? 17), "kills");
    const reference = await begin();
    const expected = new Map<number, string>();
    while (reference.step < totalSteps) {
      await advance(reference);
      expected.set(reference.step, stateText(reference.state()));
    }
    await reference.dispose();
    await killAgainAndAgain(script, place, draws, expected).finally(() => rm(script, { force: true }));
  });

  async function killAgainAndAgain(
    script: string,
    place: string,
    draws: Random,
    expected: ReadonlyMap<number, string>,
  ): Promise<void> {
    let kills = 0;
    let known = 0;
    let leftBehind = 0;
    while (known < totalSteps && kills < 200) {
      const { told, killed } = await child(script, place, kills < 25 ? 1 + draws.integer(60) : undefined);
      kills += Number(killed);
      const trainer = await Trainer.resume(place);
      // Every checkpoint that the child reported is on disk; at most one more may be.
      expect(trainer.step).toBeGreaterThanOrEqual(Math.max(known, told));
      expect(stateText(trainer.state())).toBe(expected.get(trainer.step));
      known = trainer.step;
      await trainer.dispose();
      leftBehind = Math.max(leftBehind, (await readdir(place)).length);
    }
    expect(known).toBe(totalSteps);
    expect(kills).toBeGreaterThanOrEqual(20);
    console.log(
      `${kills} kills; at most ${leftBehind} files in the folder, ${(await readdir(place)).length} at the end`,
    );
    // The manifest, the two checkpoints that it names; leftovers of crashes are removed by the next save.
    expect((await readdir(place)).length).toBe(3);
  }

  /**
   * Starts the run and kills it `afterMs` after its first save; without `afterMs` it runs to the end. Returns
   * the last step that it reported.
   */
  function child(script: string, place: string, afterMs: number | undefined) {
    return new Promise<{ told: number; killed: boolean }>((resolve, reject) => {
      const process_: ChildProcess = spawn(process.execPath, [script, place], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      let told = 0;
      let killed = false;
      let errors = "";
      process_.stderr?.on("data", (chunk: Buffer) => {
        errors += chunk.toString();
      });
      process_.stdout?.on("data", (chunk: Buffer) => {
        if (told === 0 && afterMs !== undefined) {
          setTimeout(() => {
            killed = process_.kill("SIGKILL");
          }, afterMs);
        }
        // The last line may be cut; the one before it is whole.
        const lines = chunk.toString().split("\n");
        if (lines.length > 1) told = Number(lines.at(-2));
      });
      process_.on("error", reject);
      process_.on("close", (code) => {
        if (code === 0 || killed) resolve({ told, killed });
        else reject(new Error(`the child failed with ${code}: ${errors}`));
      });
    });
  }
});
