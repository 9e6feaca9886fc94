import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runCli, withFolder } from "../../../test/cli-harness.ts";
import { dataset } from "../../data/dataset.ts";
import { parseClassWeights } from "./class-weights-option.ts";

const mail = dataset({ features: [1, 2, 3], labels: [0, 1, 1], classNames: ["ham", "spam"] });

it("accepts weights in order, or by name with 1 for the others", () => {
  expect(parseClassWeights("1, 2,0.5")(mail)).toEqual([1, 2, 0.5]);
  expect(parseClassWeights("spam=3")(mail)).toEqual([1, 3]);
  expect(() => parseClassWeights("spm=3")(mail)).toThrow(/Did you mean spam\?/);
  expect(() => parseClassWeights("spam=3,1")).toThrow(/every class/);
  expect(() => parseClassWeights("-1,1")).toThrow(/--class-weights/);
});

it("leaves a class of weight 0 out of the loss; needs a loss of classes; a last single example joins the batch before it", () =>
  withFolder(async (folder) => {
    const file = join(folder, "mail.csv");
    const rows = Array.from({ length: 41 }, (_, at) => `${Math.sin(at)},${at % 2 ? "spam" : "ham"}`);
    await writeFile(file, `x,kind\n${rows.join("\n")}\n`);
    const base = ["train", "--data", file, "--batch", "8", "--epochs", "3", "--batch-norm", "--json"];
    const run = await runCli([
      ...base,
      "--class-weights",
      "spam=0",
      "--learning-rate",
      "0.1",
      "--out",
      join(folder, "r"),
    ]);
    expect(run.code).toBe(0);
    // 33 training examples: 8, 8, 8 and 9.
    expect(JSON.parse(run.out).steps).toBe(12);
    // Only one class counts: the loss falls below what guessing between the two could reach.
    const weighted = JSON.parse(run.out).final.loss;
    expect(weighted).toBeLessThan(0.3);
    expect(JSON.parse((await runCli([...base, "--learning-rate", "0.1"])).out).final.loss).toBeGreaterThan(
      0.4,
    );
    expect((await runCli([...base, "--class-weights", "1,2,3"])).code).not.toBe(0);
  }));
