import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, withFolder } from "../cli-harness.ts";

// Each file of this folder and of csv/, used as a user would. Each case represents a kind.

const here = (file: string) => join(import.meta.dirname, file);
const train = (...args: readonly string[]) => runCli(["train", "--steps", "2", "--json", ...args]);

interface Answer {
  readonly notes?: readonly string[];
  readonly final: Readonly<Record<string, number>>;
  readonly error?: { readonly message: string; readonly remedy?: string };
}

/** The notes of a run that succeeded. */
async function notesOf(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await train(...args);
  expect(code, out + err).toBe(0);
  return ((JSON.parse(out) as Answer).notes ?? []).join("\n");
}

/** The bytes of an IDX file. */
const idx = (dims: readonly number[], values: Uint8Array) =>
  Uint8Array.from([
    0,
    0,
    8,
    dims.length,
    ...dims.flatMap((size) => [0, 0, size >> 8, size & 255]),
    ...values,
  ]);

/** What was wrong, with its remedy. */
async function refusalOf(...args: readonly string[]): Promise<string> {
  const { code, out } = await train(...args);
  expect(code, out).toBeGreaterThan(0);
  return JSON.stringify(JSON.parse(out).error);
}

describe("tables that are read as meant", () => {
  it.each<[file: string, said: RegExp, ...options: string[]]>([
    ["bigid", /^(?!.*regression)/],
    ["bigints_feature", /float32 would merge values of id, so the model expects float64 rows/],
    ["timestamps", /ts counts the rows.*--drop ts[\s\S]*merge values of ts/],
    ["bin", /y has 2 whole numbers \(0 to 1\): a classification/],
    ["three2", /3 whole numbers \(0 to 2\)/],
    ["reg2", /y has fractions: a regression; for classes: --task classification/],
    ["comment", /3 whole numbers/, "--comment", "#"],
    ["comment", /3 whole numbers/, "--skip-rows", "1"],
    ["cr_only", /3 whole numbers/],
    ["excel_sep", /line 1 says that ";" separates the cells/],
    ["trailing_comma", /column 6 is empty and has no name: left out/],
    ["four", /4 whole numbers \(0 to 3\)/],
    ["four_no0", /3 whole numbers \(1 to 3\)/],
    ["gap", /^/, "--task", "classification"],
    ["gap", /^/, "--task", "regression"],
    ["dup_label", /3 whole numbers/, "--drop", "2"],
    ["housef", /price has fractions: a regression/],
    ["int_prices", /price has 60 different whole numbers in 60 rows: a regression/],
    ["na_label", /2 of 60 rows with gaps left out/, "--missing", "drop"],
    ["na_price", /2 of 60 rows with gaps left out/, "--missing", "drop"],
    ["nan_label", /rows with gaps left out/, "--missing", "drop"],
    ["num", /^/],
    ["pandas_index", /column 1, without a name, counts the rows \(0 to 59\): left out; to keep it: --keep 0/],
    ["pandas_int_cols", /line 1 names the columns: 0, 1, 2, 3, target; if it is data: --no-header/],
    ["pandas_int_cols_reg", /line 1 names the columns[\s\S]*price has fractions: a regression/],
    ["raw_scale", /2 whole numbers/],
    ["wine", /3 whole numbers/],
  ])("%s: %s", async (file, said, ...options) => {
    expect(await notesOf("--data", here(`csv/${file}.csv`), ...options)).toMatch(said);
  });
});

describe("tables that are refused, with what to do", () => {
  it.each<[file: string, said: RegExp]>([
    ["comment", /line 1 looks like a comment.*--comment.*--skip-rows 1/],
    ["dup_label", /columns 3 and 5 have the same name, and one would give the label away.*--drop 2/],
    ["gap", /3 different whole numbers \(0, 5, 1000000\).*--task classification, --task regression/],
    ["na_label", /line 2, column 5 \(y\).*--missing drop/],
    ["na_price", /line 2, column 5 \(y\).*--missing drop/],
    ["nan_label", /line 2, column 5 \(y\).*--missing drop/],
  ])("%s", async (file, said) => {
    expect(await refusalOf("--data", here(`csv/${file}.csv`))).toMatch(said);
  });
});

it("a label that float32 cannot represent has a remedy for labels", () =>
  withFolder(async (folder) => {
    const file = join(folder, "large.csv");
    const rows = Array.from({ length: 30 }, (_, at) => `${at * 0.37},${at === 4 ? "1e39" : at * 0.5}`);
    await writeFile(file, `a,price\n${rows.join("\n")}\n`);
    const said = await refusalOf("--data", file);
    expect(said).toMatch(/line 6, column 2 \(price\).*larger unit.*--label/);
    expect(said).not.toMatch(/--drop|--categories/);
  }));

describe("the files of a run can be used on their own", () => {
  it("four, four_no0: classes keep their numbers; wine: the scale is in the file", () =>
    withFolder(async (folder) => {
      for (const [name, first, then, least] of [
        ["four", "four", "four_no0", 0.9],
        ["wine", "wine", "wine", 0.9],
      ] as const) {
        const out = join(folder, name);
        const data = here(`csv/${first}.csv`);
        const quick = ["--learning-rate", "0.02", "--steps", "250", "--quiet", "--json"];
        const trained = await runCli(["train", "--data", data, "--out", out, ...quick]);
        expect(trained.code, trained.out).toBe(0);
        const on = await train("--model", join(out, "model.onnx"), "--data", here(`csv/${then}.csv`));
        expect((JSON.parse(on.out) as Answer).final.accuracy).toBeGreaterThan(least);
      }
    }));

  it("num: predictions have the names of the classes", () =>
    withFolder(async (folder) => {
      const [data, out] = [here("csv/num.csv"), join(folder, "run")];
      expect((await train("--data", data, "--out", out)).code).toBe(0);
      const { out: answers } = await runCli(["predict", join(out, "model.onnx"), "--data", data]);
      expect(answers.split("\n")[0]).toMatch(/^species,probability of \w+,probability of \w+/);
    }));
});

describe("outputs and losses of models", () => {
  it.each<[model: string, data: string, said: RegExp]>([
    [
      "aux_first",
      "three2",
      /output "logits" is trained, the one that fits 3 classes; the model also has "emb"/,
    ],
    ["sigmoid_end", "bin", /loss is binaryCrossEntropy[\s\S]*ends in Sigmoid.*its input .* is trained/],
    ["softmax_end", "three2", /ends in Softmax, which crossEntropy computes itself: its input .* is trained/],
    ["logits_end", "three2", /^(?!.*before it)/],
    ["reg_squeeze", "reg2", /regression/],
    ["reg_squeeze", "bin", /the loss is binaryCrossEntropy/],
    ["bn", "three2", /^/],
    ["fixed4", "three2", /^/],
  ])("%s on %s", async (model, data, said) => {
    const args = ["--model", here(`${model}.onnx`), "--data", here(`csv/${data}.csv`)];
    expect(await notesOf(...args)).toMatch(said);
  });

  it.each([
    ["aux_first", "three2", "emb", /emb.*must be logits, numbers of any size/],
    ["aux_first", "five", undefined, /expects examples of shape \[2\].*2 per example.*--drop/],
    ["aux_first", "three2", "emb,logits", /must name one output.*weighted sum of losses.*loss: \{ output \}/],
    ["aux_first", "three2", "embedding", /must name a value.*emb, logits/],
    ["mlp_double", "three2", undefined, /float64/],
    ["mlp_fp16_castio", "five", undefined, /w1, b1, w2, b2 must be float32 to be trained/],
  ] as const)("%s on %s by %s is refused", async (model, data, output, said) => {
    await withFolder(async (folder) => {
      const five = join(folder, "five.csv");
      await writeFile(five, `a,b,c,d,e,y\n${"1,2,3,4,5,0\n2,3,4,5,6,1\n1,3,2,5,4,2\n".repeat(8)}`);
      const file = data === "five" ? five : here(`csv/${data}.csv`);
      const named = output === undefined ? [] : ["--output", output];
      expect(await refusalOf("--model", here(`${model}.onnx`), "--data", file, ...named)).toMatch(said);
    });
  });

  it("logits_and_prob: logits and their softmax are one choice", () =>
    withFolder(async (folder) => {
      const six = join(folder, "six.csv");
      const row = (at: number) => `${[1, 2, 3, 4, 5, 6].map((step) => Math.sin(at * step)).join()},${at % 4}`;
      await writeFile(six, `a,b,c,d,e,f,y\n${Array.from({ length: 40 }, (_, at) => row(at)).join("\n")}\n`);
      const model = ["--model", here("logits_and_prob.onnx"), "--data", six];
      expect(await notesOf(...model)).toMatch(/output "z" is trained, the one that fits 4 classes/);
      expect(await notesOf(...model, "--output", "p")).toMatch(/"p" ends in Softmax/);
    }));
});

describe("growth through functions that are not finite everywhere", () => {
  it.each(["hid_log", "hid_sqrt", "vac_sqrt"])("%s: copies, or the reason", (name) =>
    withFolder(async (folder) => {
      const [model, out] = [here(`${name}.onnx`), join(folder, "grown.onnx")];
      const odd = await runCli(["grow", model, "--widen", "w1=+4", "--out", out]);
      expect(odd.code).toBeGreaterThan(0);
      expect(odd.err).toMatch(/only by multiples of 8 units, because every unit must be copied/);
      const twice = await runCli(["grow", model, "--widen", "w1=x2", "--out", out]);
      expect(twice.out, twice.err).toMatch(/8 → 16\s+copies/);
    }),
  );
});

describe("channels last", () => {
  it("chw_mean: is refused, or turned on request", () =>
    withFolder(async (folder) => {
      const [images, labels] = [join(folder, "hwc.idx"), join(folder, "lab.idx")];
      const pixel = (at: number) => (at % 3 === Math.floor(at / 192) % 3 ? 250 : 10 + (at % 7));
      await writeFile(
        images,
        idx(
          [100, 8, 8, 3],
          Uint8Array.from({ length: 100 * 192 }, (_, at) => pixel(at)),
        ),
      );
      await writeFile(
        labels,
        idx(
          [100],
          Uint8Array.from({ length: 100 }, (_, at) => at % 3),
        ),
      );
      const data = ["--model", here("chw_mean.onnx"), "--data", `idx:${images},${labels}`];
      expect(await refusalOf(...data)).toMatch(/--axes hwc/);
      expect(await refusalOf(...data, "--axes", "hwc")).toMatch(/Taken for constants: w;.*--train-constants/);
      const turned = ["--data", `idx:${images},${labels}`, "--axes", "hwc", "--json"];
      const { out } = await runCli(["evaluate", here("chw_mean.onnx"), ...turned]);
      expect(JSON.parse(out).accuracy).toBe(1);
    }));
});

describe("sizes that the model leaves open, and batches that it fixes", () => {
  const commandsOn = (width: string): readonly (readonly [command: string, ...options: string[]])[] => [
    ["train", "--steps", "2"],
    ["shrink", "--least", "1", "--by", "taylor", "--width", width, "--dry-run"],
    ["verify"],
    ["advise"],
    ["grow", "--widen", "all=+1", "--dry-run"],
  ];
  const run = (command: string, model: string, ...options: readonly string[]) => {
    const models = command === "train" ? ["--model", model] : command === "verify" ? [model, model] : [model];
    return runCli([command, ...models, "--json", ...options]);
  };

  it.each(commandsOn("b"))("unet_hw: %s takes height and width from the data", (command, ...options) =>
    withFolder(async (folder) => {
      const [images, labels] = [join(folder, "images.idx"), join(folder, "labels.idx")];
      const pixels = (count: number, most: number) =>
        Uint8Array.from({ length: count }, (_, at) => (at * 37) % most);
      await writeFile(images, idx([10, 3, 8, 4], pixels(960, 256)));
      await writeFile(labels, idx([10, 8, 4], pixels(320, 2)));
      const model = here("unet_hw.onnx");
      const data = ["--data", `idx:${images},${labels}`, ...options];
      for (const told of [[], ["--sizes", "height=8"], ["--sizes", "height=8,width=4"]]) {
        const { code, out, err } = await run(command, model, ...data, ...told);
        expect(code, out + err).toBe(0);
      }
      const { out } = await run(command, model, ...data, "--sizes", "height=4,width=8");
      expect(out).toMatch(/--sizes must be as the data have them.*\[3, 8, 4\].*height is 8/);
    }),
  );

  it.each([...commandsOn("w1"), ["evaluate"] as const, ["predict"] as const])(
    "fixed4: %s accepts any number of rows, even fewer than the model's four",
    (command, ...options) =>
      withFolder(async (folder) => {
        for (const rows of [4, 11]) {
          const file = join(folder, `${rows}.csv`);
          const row = (_: unknown, at: number) => `${Math.sin(at)},${Math.cos(at)},${at % 3}`;
          await writeFile(file, `a,b,y\n${Array.from({ length: rows }, row).join("\n")}\n`);
          const { code, out, err } = await run(command, here("fixed4.onnx"), "--data", file, ...options);
          expect(code, out + err).toBe(0);
          if (command === "verify") expect(out).toContain(file);
        }
      }),
  );

  it("fixed-batch-one is trained example by example, written as a model, and grown on data", () =>
    withFolder(async (folder) => {
      const row = (_: unknown, at: number) =>
        `${Math.sin(at)},${Math.cos(at)},${Math.sin(2 * at)},${Math.cos(3 * at)},${at % 3}`;
      const data = join(folder, "four.csv");
      await writeFile(data, `a,b,c,d,y\n${Array.from({ length: 30 }, row).join("\n")}\n`);
      const model = here("fixed-batch-one.onnx");
      const out = join(folder, "run");
      const train = ["train", "--model", model, "--data", data, "--batch", "1", "--steps", "6", "--out", out];
      const trained = await runCli([...train, "--quiet"]);
      expect(trained.code, trained.out + trained.err).toBe(0);
      const wide = join(folder, "wide.onnx");
      const grown = await runCli(["grow", model, "--widen", "all=x2", "--data", data, "--out", wide]);
      expect(grown.code, grown.out + grown.err).toBe(0);
      expect((await runCli(["verify", model, wide, "--data", data])).code).toBe(0);
    }));
});
