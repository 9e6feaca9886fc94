import { type ChildProcess, spawn } from "node:child_process";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { runCli, snapshot, withFolder } from "../../../test/cli-harness.ts";

const grown = [
  "train",
  ...["--hidden", "6,5", "--batch-norm", "--dropout", "0.2", "--optimizer", "adamw", "--seed", "7"],
  ...["--schedule", "cosine", "--warmup", "20", "--widen", "hidden1=+4@150", "--widen", "hidden2=+3"],
  ...["--every", "90", "--until", "12", "--checkpoint-every", "37", "--steps", "400"],
];

/** `metrics.jsonl` without times. */
async function metrics(folder: string): Promise<readonly Record<string, unknown>[]> {
  const text = await readFile(join(folder, "metrics.jsonl"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) =>
      // Only time may differ.
      JSON.parse(line, (key, value) => (key === "seconds" || key === "pauseMs" ? undefined : value)),
    );
}

const model = (folder: string) => readFile(join(folder, "model.onnx"));

/** Compares two runs; if the first was stopped at a step, it may have a point there that the other lacks. */
async function expectSameRun(resumed: string, whole: string, stopped?: number): Promise<void> {
  expect((await model(resumed)).equals(await model(whole))).toBe(true);
  const [now, then] = [await metrics(resumed), await metrics(whole)];
  const kinds = (lines: typeof now, kind: string) => lines.filter((line) => line.kind === kind);
  expect(kinds(now, "growth")).toEqual(kinds(then, "growth"));
  expect(kinds(now, "diagnosis")).toEqual(kinds(then, "diagnosis"));
  const steps = (lines: typeof now) => kinds(lines, "point").map(({ step }) => step);
  const extra = steps(now).filter((step) => !steps(then).includes(step));
  expect(extra.filter((step) => step !== stopped)).toEqual([]);
  expect(steps(now).length).toBe(steps(then).length + extra.length);
  const tests = (lines: typeof now) =>
    lines.flatMap(({ step, test }) => (test === undefined ? [] : [{ step, test }]));
  expect(tests(now)).toEqual(tests(then));
}

describe("espalier train --resume", () => {
  it("continues after Ctrl-C as if nothing had happened, growth included", () =>
    withFolder(async (folder) => {
      const [whole, broken] = [join(folder, "whole"), join(folder, "broken")];
      expect((await runCli([...grown, "--out", whole, "--quiet"])).code).toBe(0);
      const first = await runCli([...grown, "--out", broken], {
        signalAfter: { text: /step 16\d\/400/, signal: "SIGINT" },
      });
      expect(first.code).toBe(130);
      expect(first.err).toContain(`espalier train --resume ${broken}`);
      expect(first.out).toContain("interrupted");
      const stopped = (await metrics(broken)).at(-1)?.step as number;
      expect(stopped).toBeGreaterThan(150);
      expect(stopped).toBeLessThan(400);
      const second = await runCli(["train", "--resume", broken, "--json"]);
      expect(second.code, second.err).toBe(0);
      expect(JSON.parse(second.out)).toMatchObject({ status: "complete", step: 400 });
      await expectSameRun(broken, whole, stopped);
      const done = await snapshot(broken);
      const again = await runCli(["train", "--resume", broken, "--quiet"]);
      expect(again.code).toBe(0);
      expect((await snapshot(broken)).get("metrics.jsonl")).toBe(done.get("metrics.jsonl"));
      await expectSameRun(broken, whole, stopped);
    }));

  it("continues within a trial, after undone growths, by its original policy", () =>
    withFolder(async (folder) => {
      const file = join(folder, "policy.json");
      const policy = {
        when: { every: 60 },
        where: { best: "flops" },
        howMany: { fraction: 0.5 },
        trial: { steps: 40, minGain: 0.2 },
      };
      await writeFile(file, JSON.stringify(policy));
      const run = ["train", "--hidden", "6,5", "--steps", "330", "--learning-rate", "0.004", "--grow", file];
      const [whole, broken] = [join(folder, "whole"), join(folder, "broken")];
      const result = JSON.parse(
        (await runCli([...run, "--checkpoint-every", "7", "--out", whole, "--json", "--quiet"])).out,
      );
      const actions = result.decisions.map(({ action }: { action: string }) => action);
      expect(actions).toEqual(expect.arrayContaining(["grow", "undo", "keep"]));
      const first = await runCli([...run, "--out", broken], {
        signalAfter: { text: /undo hidden[\s\S]*grow hidden[\s\S]*step \d+\/330/, signal: "SIGINT" },
      });
      expect(first.code).toBe(130);
      // The file is no longer needed: the run has its contents.
      await rm(file);
      const second = await runCli(["train", "--resume", broken, "--json", "--quiet"]);
      expect(second.code, second.err).toBe(0);
      expect(JSON.parse(second.out).decisions).toEqual(result.decisions);
      expect((await model(broken)).equals(await model(whole))).toBe(true);
      const told = async (where: string) => (await metrics(where)).filter(({ kind }) => kind === "decision");
      expect(await told(broken)).toEqual(await told(whole));
      expect(await readFile(join(broken, "report.html"), "utf8")).toContain("not by 20 %");
    }));

  it("starts a new cosine if the old one is finished, and says so", () =>
    withFolder(async (folder) => {
      const out = join(folder, "run");
      const short = ["--hidden", "6", "--schedule", "cosine", "--steps", "30", "--out", out, "--quiet"];
      expect((await runCli(["train", ...short])).code).toBe(0);
      const before = await model(out);
      const run = await runCli(["train", "--resume", out, "--steps", "44"]);
      expect(run).toMatchObject({ code: 0 });
      expect(run.out + run.err).toContain("a new one goes from 0.001 at step 30 to 0 at step 44");
      expect((await model(out)).equals(before)).toBe(false);
    }));

  it("continues from an older checkpoint, or from none, to the same end", () =>
    withFolder(async (folder) => {
      const [whole, older, none] = ["whole", "older", "none"].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      await runCli([...grown, "--out", whole, "--quiet"]);
      await cp(whole, older, { recursive: true });
      await cp(whole, none, { recursive: true });
      expect((await runCli(["train", "--resume", older, "--resume-step", "370", "--quiet"])).code).toBe(0);
      await expectSameRun(older, whole);
      // As after a crash before the first checkpoint was complete.
      await rm(join(none, "checkpoints"), { recursive: true });
      expect((await runCli(["train", "--resume", none, "--quiet"])).code).toBe(0);
      await expectSameRun(none, whole);
      const missing = await runCli(["train", "--resume", whole, "--resume-step", "3"]);
      expect(missing).toMatchObject({ code: 1, out: "" });
      expect(missing.err).toContain("CHECKPOINT_MISSING");
    }));

  it("offers the older checkpoint if the newest is damaged, and changes nothing", () =>
    withFolder(async (folder) => {
      const out = join(folder, "run");
      await runCli([...grown, "--out", out, "--quiet"]);
      const names = await readdir(join(out, "checkpoints"));
      const newest = join(
        out,
        "checkpoints",
        names.filter((name) => name.includes("step-")).at(-1) as string,
      );
      const bytes = await readFile(newest);
      bytes[bytes.length - 9] = (bytes.at(-9) as number) ^ 1;
      await writeFile(newest, bytes);
      const before = await snapshot(out);
      const run = await runCli(["train", "--resume", out]);
      expect(run.code).toBe(1);
      expect(run.err).toContain("CHECKPOINT_CORRUPT");
      expect(run.err).toContain("--resume-step 370");
      expect(await snapshot(out)).toEqual(before);
    }));

  it("keeps what early stopping knew", () =>
    withFolder(async (folder) => {
      const early = [
        ...["train", "--hidden", "8", "--learning-rate", "0.05", "--steps", "3000"],
        ...["--early-stopping", "10", "--evaluate-every", "20"],
      ];
      const [whole, broken] = [join(folder, "whole"), join(folder, "broken")];
      const plain = JSON.parse((await runCli([...early, "--json", "--quiet"])).out);
      expect(plain.status).toBe("early stopping");
      // A growth is announced between the best step and the end: the other run is stopped there.
      const growing = [
        ...early,
        ...["--checkpoint-every", "50", "--widen", `hidden1=+1@${plain.best.step + 50}`],
      ];
      const result = JSON.parse((await runCli([...growing, "--out", whole, "--json", "--quiet"])).out);
      expect(result.status).toBe("early stopping");
      const first = await runCli([...growing, "--out", broken], {
        signalAfter: { text: /hidden1 8 → 9/, signal: "SIGTERM" },
      });
      expect(first.code).toBe(143);
      const second = await runCli(["train", "--resume", broken, "--json", "--quiet"]);
      const { status, step, best, final } = JSON.parse(second.out);
      expect({ status, step, best, final }).toEqual({
        status: "early stopping",
        step: result.step,
        best: result.best,
        final: result.final,
      });
      expect((await model(broken)).equals(await model(whole))).toBe(true);
    }));

  it("refuses to end before its current step, and to overwrite checkpoints that lack their manifest", () =>
    withFolder(async (folder) => {
      const out = join(folder, "run");
      const run = ["train", "--hidden", "4", "--steps", "40", "--out", out, "--quiet"];
      expect((await runCli(run)).code).toBe(0);
      const before = await snapshot(out);
      const shorter = await runCli(["train", "--resume", out, "--steps", "30"]);
      expect(shorter).toMatchObject({ code: 2, out: "" });
      expect(shorter.err).toMatch(/^espalier: --steps .*at least the 40 steps that are done[\s\S]*USAGE/);
      expect(await snapshot(out)).toEqual(before);
      await rm(join(out, "checkpoints/manifest.json"));
      const orphaned = await snapshot(out);
      const lost = await runCli(["train", "--resume", out]);
      expect(lost).toMatchObject({ code: 1, out: "" });
      expect(lost.err).toMatch(/manifest.json[\s\S]*step-000000040-[\s\S]*CHECKPOINT_CORRUPT/);
      expect(await snapshot(out)).toEqual(orphaned);
      await rm(join(out, "checkpoints"), { recursive: true });
      const none = await runCli(["train", "--resume", out]);
      expect(none.code).toBe(0);
      expect(none.err).toContain("starting again at step 0");
    }));

  it("continues beyond the original number of steps, as one long run would", () =>
    withFolder(async (folder) => {
      const [whole, longer] = [join(folder, "whole"), join(folder, "longer")];
      const args = ["train", "--hidden", "4", "--widen", "hidden1=+2", "--every", "50", "--quiet"];
      await runCli([...args, "--steps", "160", "--out", whole]);
      await runCli([...args, "--steps", "90", "--out", longer]);
      expect((await runCli(["train", "--resume", longer, "--steps", "160", "--quiet"])).code).toBe(0);
      expect((await model(longer)).equals(await model(whole))).toBe(true);
    }));

  it("refuses what cannot change, other data, and folders without a run", () =>
    withFolder(async (folder) => {
      const csv = join(folder, "points.csv");
      const rows = Array.from({ length: 40 }, (_, row) => `${row % 7},${row % 5},${row % 2}`);
      await writeFile(csv, `a,b,y\n${rows.join("\n")}\n`);
      const out = join(folder, "run");
      expect((await runCli(["train", "--data", csv, "--steps", "20", "--quiet", "--out", out])).code).toBe(0);
      const before = await snapshot(out);
      const changed = await runCli(["train", "--resume", out, "--hidden", "9"]);
      expect(changed.code).toBe(2);
      expect(changed.err).toContain("--hidden");
      await writeFile(csv, `a,b,y\n${rows.reverse().join("\n")}\n`);
      const other = await runCli(["train", "--resume", out]);
      expect(other.code).toBe(1);
      expect(other.err).toContain("SHA-256");
      const nowhere = await runCli(["train", "--resume", join(folder, "nowhere")]);
      expect(nowhere.code).toBe(1);
      expect(nowhere.err).toContain("must be a folder that espalier train wrote");
      await writeFile(join(out, "config.json"), "{");
      expect((await runCli(["train", "--resume", out])).err).toContain("FORMAT");
      await writeFile(join(out, "config.json"), before.get("config.json") as string);
      expect(await snapshot(out)).toEqual(before);
    }));

  it("ends at once at the second signal", async () => {
    const signalAfter = { text: /step/, signal: "SIGINT" } as const;
    const args = ["train", "--steps", "100000"];
    expect(await runCli(args, { signalAfter, columns: 100 })).toMatchObject({ code: 130, exited: undefined });
    const twice = { ...signalAfter, times: 2 };
    expect(await runCli(args, { signalAfter: twice, columns: 100 })).toMatchObject({ exited: 130 });
  });
});

describe("a real process", () => {
  // At the depth of the file that imports ../../../package.json.
  const script = join(import.meta.dirname, "../../../dist/cli-test/bundle/main.mjs");

  beforeAll(async () => {
    await build({
      entryPoints: [join(import.meta.dirname, "../main.ts")],
      bundle: true,
      format: "esm",
      platform: "node",
      packages: "external",
      conditions: ["espalier-source", "node", "import"],
      outfile: script,
      logLevel: "error",
    });
  });

  function start(args: readonly string[], kill?: { signal: NodeJS.Signals; onErr: RegExp }) {
    return new Promise<{ code: number | null; signal: string | null; err: string; out: string }>(
      (resolve, reject) => {
        const child: ChildProcess = spawn(process.execPath, [script, ...args], {
          stdio: ["ignore", "pipe", "pipe"],
        });
        let err = "";
        let out = "";
        let killed = false;
        child.stdout?.on("data", (chunk: Buffer) => {
          out += chunk.toString();
        });
        child.stderr?.on("data", (chunk: Buffer) => {
          err += chunk.toString();
          if (kill === undefined || killed || !kill.onErr.test(err)) return;
          killed = true;
          child.kill(kill.signal);
        });
        child.on("error", reject);
        child.on("close", (code, signal) => resolve({ code, signal, err, out }));
      },
    );
  }

  const longer: Readonly<Record<string, string>> = { "400": "3000", "37": "250" };
  const long = grown.map((text) => longer[text] ?? text);

  it("that gets SIGTERM saves, exits with 143, and ends as if it had not", () =>
    withFolder(async (folder) => {
      const [whole, broken] = [join(folder, "whole"), join(folder, "broken")];
      const [, first] = await Promise.all([
        start([...long, "--out", whole, "--quiet"]),
        start([...long, "--out", broken], { signal: "SIGTERM", onErr: /step [6-9]\d\d\/3000/ }),
      ]);
      expect(first.code, first.err).toBe(143);
      const stopped = (await metrics(broken)).at(-1)?.step as number;
      expect(stopped).toBeGreaterThan(500);
      expect(stopped).toBeLessThan(3000);
      const names = await readdir(join(broken, "checkpoints"));
      expect(names.some((name) => name.includes(String(stopped)))).toBe(true);
      expect((await start(["train", "--resume", broken, "--quiet"])).code).toBe(0);
      expect((await model(broken)).equals(await model(whole))).toBe(true);
    }));

  it("killed without warning ends as if it had not been", () =>
    withFolder(async (folder) => {
      const [whole, broken] = [join(folder, "whole"), join(folder, "broken")];
      const [, first] = await Promise.all([
        start([...long, "--out", whole, "--quiet"]),
        start([...long, "--out", broken], { signal: "SIGKILL", onErr: /step [6-9]\d\d\/3000/ }),
      ]);
      expect(first.signal).toBe("SIGKILL");
      expect((await start(["train", "--resume", broken, "--quiet"])).code).toBe(0);
      await expectSameRun(broken, whole);
    }));
});
