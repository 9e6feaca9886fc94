import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli, withFolder } from "../../../test/cli-harness.ts";
import { decodeSafetensors } from "../../formats/safetensors.ts";
import { Trainer } from "../../training/trainer/trainer.ts";

const options = ["--hidden", "4", "--seed", "3", "--checkpoint-every", "20", "--quiet"];

async function exported(folder: string, ...training: string[]) {
  const [run, out] = [join(folder, "run"), join(folder, "new")];
  expect(await runCli(["train", ...options, ...training, "--out", run])).toMatchObject({ code: 0, err: "" });
  const { code, err, out: printed } = await runCli(["export", run, "--to", "pytorch", "--out", out]);
  const read = async (name: string) => decodeSafetensors(new Uint8Array(await readFile(join(out, name))));
  return { run, code, err, printed, read };
}

test("a run is exported with moments that PyTorch corrects to the same values", () =>
  withFolder(async (folder) => {
    const training = ["--optimizer", "adamw", "--steps", "60", "--widen", "hidden1=+3@40"];
    const { run, code, err, printed, read } = await exported(folder, ...training);
    expect([code, err]).toEqual([0, ""]);
    expect(printed).toContain("at step 60");
    const trainer = await Trainer.resume(join(run, "checkpoints"));
    const { learner } = trainer.state();
    const [weights, optimizer] = [await read("model.safetensors"), await read("optimizer.safetensors")];
    const [group] = JSON.parse(optimizer.metadata.get("param_groups") as string);
    expect(group).toMatchObject({ betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.01 });
    expect(group.params).toEqual([...learner.slots.keys()]);
    const name = group.params.find((one: string) => one.includes("hidden1") && one.includes("weight"));
    expect(weights.tensors.get(name)).toEqual(trainer.model.graph.parameters.get(name));
    expect(optimizer.tensors.get(`${name}.step`)?.data).toEqual(Float32Array.of(60));
    const births = (learner.births.get(name) ?? []).find((axis) => axis.includes(40)) as Int32Array;
    expect([...births]).toEqual([0, 0, 0, 0, 40, 40, 40]);
    for (const [at, key, beta] of [
      [0, "exp_avg", 0.9],
      [1, "exp_avg_sq", 0.999],
    ] as const) {
      const own = learner.slots.get(name)?.[at]?.data as Float32Array;
      const theirs = optimizer.tensors.get(`${name}.${key}`)?.data as Float32Array;
      // Rows are units: the last three have had 20 updates.
      const ageOf = (entry: number) => (Math.floor(entry / (own.length / 7)) < 4 ? 60 : 20);
      own.forEach((value, entry) => {
        const [ours, corrected] = [
          value / (1 - beta ** ageOf(entry)),
          (theirs[entry] as number) / (1 - beta ** 60),
        ];
        expect(corrected).toBeCloseTo(ours, 5);
        if (ageOf(entry) === 60) expect(theirs[entry]).toBe(value);
      });
      expect(theirs.slice((own.length * 4) / 7).some((value) => value > 0)).toBe(true);
    }
    await trainer.dispose();
  }));

test("state that PyTorch cannot represent is refused, and nothing is written", () =>
  withFolder(async (folder) => {
    const { code, err } = await exported(folder, "--optimizer", "lion", "--steps", "5");
    expect(code).toBe(2);
    expect(err).toContain("must be one whose state PyTorch can represent");
    await expect(readFile(join(folder, "new", "model.safetensors"))).rejects.toThrow();
  }));

test.each([
  [["--to", "pytorch"], /--out/],
  [[], /--to pytorch/],
  [["--onnx", "a.onnx", "--to", "pytorch"], /only one/],
])("export %j is refused", async (given, message) => {
  const { code, err } = await runCli(["export", "nowhere", ...given]);
  expect(code).toBe(2);
  expect(err).toMatch(message);
});
