import type { ChildProcess } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build as bundle } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli, withFolder } from "../../../test/cli-harness.ts";
import type { CliIo } from "../print/io.ts";
import { compare } from "./compare.ts";
import type { WorkerPoolOptions } from "./compare-pool.ts";

const config = {
  title: "moons",
  question: "known size",
  task: {
    data: { kind: "moons" },
    network: { kind: "mlp" },
    loss: "crossEntropy",
    batch: 16,
    split: { validation: 0.2 },
  },
  budget: { steps: 400, evaluateEvery: 20 },
  tuning: { rates: [0.003, 0.01] },
  seeds: { tuning: [7], report: [0, 1] },
  arms: [
    { name: "scratch", size: { hidden: [8] } },
    { name: "grown", size: { hidden: [4] }, growth: [{ width: "hidden1", by: 4, at: 100 }] },
  ],
};

/** Processes start slowly while the machine is busy with other tests. */
const timeout = 300_000;

/** The worker as JavaScript, next to the project's modules: Node cannot fork TypeScript. */
let worker = "";

beforeAll(async () => {
  const place = join(import.meta.dirname, "../../../node_modules/.espalier-laws");
  await mkdir(place, { recursive: true });
  worker = join(place, `compare-worker-${process.pid}.mjs`);
  await bundle({
    entryPoints: [join(import.meta.dirname, "compare-worker.ts")],
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    conditions: ["espalier-source", "node", "import"],
    outfile: worker,
    logLevel: "error",
  });
});

afterAll(() => rm(worker, { force: true }));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a comparison in `folder`; `signalOnce` is tried on every line of progress. */
async function run(
  folder: string,
  document: object,
  { signalOnce, pool = {} }: { signalOnce?: RegExp; pool?: Partial<WorkerPoolOptions> } = {},
): Promise<Outcome> {
  await writeFile(join(folder, "config.json"), JSON.stringify(document));
  const said = { out: "", err: "" };
  let listener: Parameters<CliIo["onSignal"]>[0] | undefined;
  let sent = false;
  const io: CliIo = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
      if (sent || !signalOnce?.test(said.err)) return;
      sent = true;
      listener?.("SIGINT");
    },
    columns: () => undefined,
    onSignal: (given) => {
      listener = given;
      return () => {
        listener = undefined;
      };
    },
    exit: () => {},
    now: () => "2026-01-02T03:04:05.000Z",
  };
  const options = { out: join(folder, "out"), workers: "2" };
  const code = await compare(join(folder, "config.json"), options, io, { worker, ...pool });
  return { code, ...said };
}

/** The results without seconds and the findings about them. */
async function resultsOf(folder: string): Promise<unknown> {
  const text = await readFile(join(folder, "out/results.json"), "utf8");
  return JSON.parse(text, (key, value) =>
    ["seconds", "winsInSeconds", "findings"].includes(key) ? undefined : value,
  );
}

describe("espalier compare", () => {
  test("a stopped comparison continues and ends with the same results", { timeout }, async () => {
    await withFolder(async (whole) => {
      const { code, out } = await run(whole, config);
      expect(code).toBe(0);
      expect(out).toMatch(/^scratch .* 1 = /m);
      expect(out).toMatch(/^grown .*\/2$/m);
      await withFolder(async (folder) => {
        const stopped = await run(folder, config, { signalOnce: /tuning \d/ });
        expect(stopped.code).toBe(130);
        expect(stopped.err).toContain("To continue, run the same command");
        expect(await readdir(join(folder, "out"))).not.toContain("results.json");
        const again = await run(folder, config, { signalOnce: /report \d/ });
        expect(again.code).toBe(130);
        expect((await run(folder, config)).code).toBe(0);
        expect(await resultsOf(folder)).toEqual(await resultsOf(whole));
      });
    });
  });

  test("a run whose worker is killed is retried from its checkpoint and ends the same", {
    timeout,
  }, async () => {
    const long = { ...config, budget: { steps: 4000, evaluateEvery: 100 }, tuning: { rates: [0.01] } };
    await withFolder(async (whole) => {
      await run(whole, long);
      await withFolder(async (folder) => {
        const children = new Map<string, ChildProcess>();
        const attempts: { key: string; shares: number[] }[] = [];
        const events: WorkerPoolOptions["events"] = {
          started(key, child) {
            children.set(key, child);
            attempts.push({ key, shares: [] });
          },
          progress(key, share) {
            const attempt = attempts.findLast((one) => one.key === key);
            attempt?.shares.push(share);
            // The first job is killed twice while running, and left alone at the third attempt.
            const victim = attempts.filter((one) => one.key === attempts[0]?.key);
            if (key === victim[0]?.key && victim.length <= 2 && share > 0.2 * victim.length && share < 1)
              children.get(key)?.kill("SIGKILL");
          },
        };
        const { code } = await run(folder, long, { pool: { saveSeconds: 0, events } });
        expect(code).toBe(0);
        const [first, second, third] = attempts.filter((one) => one.key === attempts[0]?.key);
        // Each resumes where the previous one was: at most one piece of 100 steps is repeated.
        expect(second?.shares[0]).toBeGreaterThanOrEqual(first?.shares.at(-1) ?? 1);
        expect(third?.shares[0]).toBeGreaterThanOrEqual(second?.shares.at(-1) ?? 1);
        expect(await resultsOf(folder)).toEqual(await resultsOf(whole));
        expect((await readdir(join(folder, "out/jobs"))).filter((name) => !name.endsWith(".json"))).toEqual(
          [],
        );
      });
    });
  });

  test("a job whose workers always die becomes a line in the report, and nothing else is lost", async () => {
    await withFolder(async (folder) => {
      let victim: string | undefined;
      const events: WorkerPoolOptions["events"] = {
        started(key, child) {
          victim ??= key;
          if (key === victim) child.kill("SIGKILL");
        },
      };
      const one = { ...config, tuning: { rates: [0.01] } };
      const { code, out } = await run(folder, one, { pool: { events } });
      expect(code).toBe(1);
      expect(out).toMatch(/Failed: scratch \(report, seeds 0\): the worker died \(SIGKILL\), 3 times/);
      expect((await readdir(join(folder, "out/jobs"))).filter((name) => name.endsWith(".json"))).toHaveLength(
        3,
      );
      // Once more: failed jobs are tried again, and results that exist are kept.
      expect((await run(folder, one)).code).toBe(0);
    });
  });

  test("too small: the continuing arm starts at the first phase's best", async () => {
    await withFolder(async (folder) => {
      const document = {
        ...config,
        question: "too small",
        first: { size: { hidden: [2] }, rate: 0.01, budget: { steps: 200, evaluateEvery: 20 } },
        tuning: { rates: [0.01] },
        arms: [
          { name: "start over", size: { hidden: [8] } },
          { name: "grow", goesOn: true, growth: [{ width: "hidden1", by: 6, at: 0 }] },
        ],
      };
      expect((await run(folder, document)).code).toBe(0);
      const ledger = JSON.parse(await readFile(join(folder, "out/results.json"), "utf8"));
      const grow = ledger.lines.find(({ name }: { name: string }) => name === "grow");
      const firsts = (await readdir(join(folder, "out/jobs"))).filter((name) => name.endsWith(".onnx"));
      expect(firsts).toHaveLength(2);
      // Before its first update the network is the first phase's best.
      const best = grow.runs.map(({ curve }: { curve: { loss: number }[] }) => curve[0]?.loss);
      expect((best[0] + best[1]) / 2).toBeCloseTo(ledger.first.bestLoss, 6);
      expect(grow.runs[0].growths).toEqual([{ step: 0, width: "hidden1", from: 2, to: 8 }]);
    });
  });

  test("unknown size: a sweep costs what all its members cost", async () => {
    await withFolder(async (folder) => {
      const document = {
        ...config,
        question: "unknown size",
        task: { ...config.task, metrics: ["accuracy", { name: "topK", k: 1 }] },
        tuning: { rates: [0.01], schedules: [{ kind: "wsd", warmup: 5, final: 0.001 }] },
        sweep: { sizes: [{ hidden: [2] }, { hidden: [4] }, { hidden: [8] }] },
        arms: config.arms.slice(1),
      };
      expect((await run(folder, document)).code).toBe(0);
      const { lines } = JSON.parse(await readFile(join(folder, "out/results.json"), "utf8"));
      const [sweep, ...members] = lines.slice(0, 4);
      const best = (line: typeof sweep) => line.runs[1].best;
      expect(best(sweep).flops).toBe(
        members.reduce((sum: number, member: typeof sweep) => sum + best(member).flops, 0),
      );
      expect(best(sweep).loss).toBe(Math.min(...members.map((member: typeof sweep) => best(member).loss)));
      const { loss, accuracy, top1, ...rest } = sweep.runs[1].test;
      expect([loss > 0, accuracy > 0.5, top1, rest]).toEqual([true, true, accuracy, {}]);
    });
  });

  test("errors in the configuration are refused with their path, before anything is written", async () => {
    await withFolder(async (folder) => {
      const file = join(folder, "wrong.json");
      const out = join(folder, "out");
      await writeFile(file, JSON.stringify({ ...config, seeds: { tuning: [1], report: [0, 1] } }));
      const overlap = await runCli(["compare", file, "--out", out]);
      expect(overlap.code).toBe(2);
      expect(overlap.err).toMatch(/seeds[\s\S]*CONFIG/);
      await writeFile(
        file,
        JSON.stringify({ ...config, arms: [config.arms[0], { name: "small", size: { hidden: [4] } }] }),
      );
      const sizes = await runCli(["compare", file, "--out", out]);
      expect(sizes.code).toBe(2);
      expect(sizes.err).toMatch(/arms\[1\][\s\S]*CONFIG/);
      await writeFile(file, JSON.stringify({ ...config, task: { ...config.task, metrics: ["r2"] } }));
      const metric = await runCli(["compare", file, "--out", out]);
      expect(metric.code).toBe(2);
      expect(metric.err).toMatch(/metrics must go with the loss: one of them is of numbers/);
      expect(await readdir(folder)).toEqual(["wrong.json"]);
    });
  });
});
