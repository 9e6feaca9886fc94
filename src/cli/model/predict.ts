import { type Command, Option } from "commander";
import { platform } from "#platform";
import type { Dataset } from "../../data/dataset.ts";
import type { Target } from "../../data/preprocessing/index.ts";
import { isConcrete } from "../../graph/dim.ts";
import type { Model } from "../../graph/model.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { predictScores } from "../../training/compilation/predict.ts";
import type { LossOf } from "../../training/losses/index.ts";
import { parseData } from "../options/data-option.ts";
import { predictsOf } from "../options/loss-option.ts";
import { type ModelFileOptions, modelOptions, openModel } from "../options/model-option.ts";
import { badOption, oneOf } from "../options/option-values.ts";
import { checkOutput } from "../options/output-file.ts";
import { rowsOption, rowsToPredict } from "../options/rows-option.ts";
import { type RawTableOptions, readTableOptions, tableOptions } from "../options/table-options.ts";
import { fitRows, inputsOf, networkIn } from "../options/trained-model.ts";
import { type Answer, answersOf, classesOf } from "../print/answers.ts";
import { exitCodes } from "../print/exit-code.ts";
import type { CliIo } from "../print/io.ts";

export interface PredictOptions extends ModelFileOptions, RawTableOptions {
  readonly data: string;
  readonly output?: string;
  readonly format: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const examples = `
Examples:
  espalier predict runs/house/model.onnx --data new-houses.csv
  espalier predict runs/wine/model.onnx --data rows.csv --out answers.csv
  espalier predict runs/wine/model.onnx --data rows.csv --json | jq '.rows[0].probabilities'
`;

export function predictCommand(command: Command, io: CliIo, finish: (code: number) => void): Command {
  command
    .description(
      "Answer the rows of a CSV file: the class and its probability, or a number in the data's units.",
    )
    .argument("<model>", "ONNX file, such as the model.onnx of a run");
  tableOptions(
    rowsOption(command, "CSV file with the columns that the model was trained with; a label is not needed"),
  )
    .option("--output <name>", "output of the model that answers (default: the first)")
    .addOption(new Option("--format <name>", "csv or json").default("csv"))
    .option("--out <file>", "write the answers there (default: print them)")
    .option("--force", "replace an output file that exists")
    .option("--json", "print one JSON document on stdout, as --format json")
    .option("--debug", "print stack traces");
  return modelOptions(command, "read weights from files next to the model")
    .addHelpText("after", examples)
    .action(async (path: string, options: PredictOptions) => finish(await predict(path, options, io)));
}

/** `espalier predict`. Returns the exit code. */
export async function predict(path: string, options: PredictOptions, io: CliIo): Promise<number> {
  const format = options.json ? "json" : oneOf("--format", options.format, ["csv", "json"] as const);
  const reading = readTableOptions(options, undefined);
  const choice = parseData(options.data);
  if (choice.kind !== "csv")
    throw badOption("--data", "must be a CSV file", options.data, "Give FILE.csv or csv:FILE.");
  const { model: whole, files } = await openModel(path, options);
  const { model, preprocessing } = networkIn(whole, path);
  const { data, notes } = await rowsToPredict(choice.file, reading, preprocessing, numbersOf(model));
  const target = preprocessing?.target;
  const output = options.output ?? model.graph.outputs.find(({ dtype }) => dtype === "float32")?.name;
  const loss = lossOfTarget(model, target, output);
  const rows = withSomeTargets(fitRows(data, model), loss, model, output);
  const scores = await predictScores(model, rows, { loss, ...(output === undefined ? {} : { output }) });
  const answers = answersOf(scores, loss, target);
  const said = target === undefined ? [...notes, unknownMeaning] : notes;
  const classes = predictsOf(loss) === "number" ? [] : classesOf(scores[0]?.length ?? 0, loss, target);
  const column = target?.name ?? "prediction";
  const text =
    format === "json"
      ? `${JSON.stringify(answersJson(path, options.data, answers, classes, said), null, 2)}\n`
      : answersCsv(answers, classes, column, digitsOf(target));
  if (format === "csv" || options.out !== undefined) for (const note of said) io.err(`note: ${note}\n`);
  if (options.out === undefined) io.out(text);
  else {
    await checkOutput(options.out, {
      option: "--out",
      force: options.force ?? false,
      inputs: [...files, choice.file],
    });
    await platform.writeFile(options.out, new TextEncoder().encode(text));
  }
  return exitCodes.success;
}

const unknownMeaning =
  "the model does not record what its outputs mean: they are printed unchanged, and classes by their number";

/** Number of values that one row gives the model. */
function numbersOf(model: Model): number {
  return inputsOf(model.graph).reduce((sum, { shape }) => {
    const dims = shape.slice(1);
    return sum + (isConcrete(dims) ? sizeOf(dims) : 1);
  }, 0);
}

/** The loss that the outputs are scores for, which only a model's record gives. */
function lossOfTarget(model: Model, target: Target | undefined, output: string | undefined): LossOf {
  if (target?.kind === "number") return "meanSquaredError";
  const shape = model.graph.outputs.find(({ name }) => name === output)?.shape ?? [];
  const outputs = shape.length > 1 ? shape[1] : 1;
  if (target?.kind === "class") return outputs === 1 ? "binaryCrossEntropy" : "crossEntropy";
  return outputs === 1 ? "meanSquaredError" : "crossEntropy";
}

/** The same rows with dummy targets, which the loss requires but nothing uses. */
function withSomeTargets(data: Dataset, loss: LossOf, model: Model, output: string | undefined): Dataset {
  if (predictsOf(loss) !== "number") return { ...data, labels: new Int32Array(data.count), classes: 2 };
  const shape = model.graph.outputs.find(({ name }) => name === output)?.shape.slice(1) ?? [1];
  const targetDims = isConcrete(shape) ? shape : [1];
  return { ...data, targets: new Float32Array(data.count * sizeOf(targetDims)), targetDims };
}

function answersJson(
  model: string,
  data: string,
  answers: readonly Answer[],
  classes: readonly string[],
  notes: readonly string[],
): object {
  return {
    model,
    data,
    notes,
    rows: answers.map(({ prediction, probabilities }) => ({
      prediction,
      ...(probabilities === undefined
        ? {}
        : { probabilities: Object.fromEntries(classes.map((name, at) => [name, probabilities[at]])) }),
    })),
  };
}

/** Significant digits of a number whose difference from the mean has the precision of a float32. */
function digitsOf(target: Target | undefined): number {
  if (target?.kind !== "number") return 7;
  const size = Math.log10(Math.abs(target.mean) / target.deviation);
  return Math.min(17, 7 + Math.max(0, Math.ceil(size)));
}

/** One line per row: the answer, then the probability of each class. */
function answersCsv(
  answers: readonly Answer[],
  classes: readonly string[],
  column: string,
  digits: number,
): string {
  const head = [column, ...classes.map((name) => `probability of ${name}`)];
  const lines = answers.map(({ prediction, probabilities = [] }) => [
    typeof prediction === "number" ? String(Number(prediction.toPrecision(digits))) : prediction,
    ...probabilities.map((share) => String(Number(share.toPrecision(6)))),
  ]);
  return [head, ...lines].map((cells) => `${cells.map(quoted).join(",")}\n`).join("");
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
