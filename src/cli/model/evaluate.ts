import type { Command } from "commander";
import { EspalierError } from "../../tensor/errors.ts";
import { grouped } from "../../tensor/number-text.ts";
import { evaluateModel, predictScores } from "../../training/compilation/predict.ts";
import { defaultLoss, lossOf } from "../../training/losses/index.ts";
import { lossHelp, lossOption, predictsOf } from "../options/loss-option.ts";
import { type ModelFileOptions, modelOptions, openModel } from "../options/model-option.ts";
import { rowsOption, rowsToEvaluate } from "../options/rows-option.ts";
import { type RawTableOptions, readTableOptions, tableOptions } from "../options/table-options.ts";
import { checkTrainable, fitRows, modelTask, networkIn, taskOptions } from "../options/trained-model.ts";
import { answersOf, classesOf, confusionOf, regressionScores } from "../print/answers.ts";
import { exitCodes } from "../print/exit-code.ts";
import { score, visible } from "../print/format.ts";
import type { CliIo } from "../print/io.ts";
import { type TextColumn, textTable } from "../print/text-table.ts";

export interface EvaluateOptions extends ModelFileOptions, RawTableOptions {
  readonly data: string;
  readonly loss?: string;
  readonly output?: string;
  readonly json?: boolean;
}

const examples = `
Examples:
  espalier evaluate runs/house/model.onnx --data houses-2025.csv
  espalier evaluate runs/wine/model.onnx --data wine.csv --json | jq .accuracy
`;

export function evaluateCommand(command: Command, io: CliIo, finish: (code: number) => void): Command {
  command
    .description("Measure a model on labeled data: accuracy and confusion matrix, or RMSE, MAE and R².")
    .argument("<model>", "ONNX file, such as the model.onnx of a run");
  tableOptions(
    rowsOption(
      command,
      "CSV file with labels, of which every row counts; or any other data that train takes",
    ),
  )
    .option("--loss <name>", lossHelp)
    .option("--output <name>", "output of the model (default: the one that fits the data)")
    .option("--json", "print one JSON document on stdout")
    .option("--debug", "print stack traces");
  return modelOptions(command, "read weights from files next to the model")
    .addHelpText("after", examples)
    .action(async (path: string, options: EvaluateOptions) => finish(await evaluate(path, options, io)));
}

/** A model's scores on data. */
interface Scores {
  readonly model: string;
  readonly data: string;
  readonly examples: number;
  readonly loss: number;
  readonly accuracy?: number;
  readonly classes?: readonly string[];
  /** Rows by true class, columns by predicted class. */
  readonly confusion?: readonly (readonly number[])[];
  readonly rmse?: number;
  readonly mae?: number;
  /** Null if all targets are the same. */
  readonly r2?: number | null;
  readonly notes: readonly string[];
}

/** `espalier evaluate`. Returns the exit code. */
export async function evaluate(path: string, options: EvaluateOptions, io: CliIo): Promise<number> {
  const wanted = lossOption(options.loss);
  const table = readTableOptions(options, wanted);
  const { model, preprocessing } = networkIn((await openModel(path, options)).model, path);
  checkTrainable(model, path);
  const { data: read, notes } = await rowsToEvaluate(
    {
      data: options.data,
      table,
      standardize: false,
      scaleTarget: false,
      testFraction: 0.2,
      validationFraction: 0,
      seed: 0,
      images: false,
    },
    preprocessing,
  );
  const data = fitRows(read, model);
  const task = modelTask(model, data, { loss: wanted, ...taskOptions(options) });
  const { loss } = await evaluateModel(model, data, task);
  const { loss: by = defaultLoss } = task;
  const scores = await predictScores(model, data, task);
  const target = data.preprocessing?.target;
  const answers = answersOf(scores, by, target);
  const common = { model: path, data: options.data, examples: data.count, loss };
  const said = [...notes, ...task.notes];
  let result: Scores;
  if (predictsOf(by) === "number") {
    const { mean, deviation } = target?.kind === "number" ? target : { mean: 0, deviation: 1 };
    const actual = Array.from(data.targets ?? data.labels ?? [], (value) => value * deviation + mean);
    if (actual.length !== data.count) throw severalTargets(path, actual.length / data.count);
    const {
      rmse,
      mae,
      r2 = null,
    } = regressionScores(
      answers.map(({ prediction }) => Number(prediction)),
      actual,
    );
    // The loss on standardized targets means nothing to the user of the data.
    result = {
      ...common,
      loss: loss * deviation ** (lossOf(by).power ?? 0),
      rmse,
      mae,
      r2,
      notes: said,
    };
  } else {
    const classes = classesOf(scores[0]?.length ?? 0, by, target);
    if (data.labelDims !== undefined) throw severalTargets(path, data.labelDims.length);
    const predicted = answers.map(({ probabilities = [] }) =>
      probabilities.indexOf(Math.max(...probabilities)),
    );
    const actual = Array.from(data.labels ?? [], Number);
    const confusion = confusionOf(predicted, actual, classes.length);
    const right = predicted.filter((guess, at) => guess === actual[at]).length;
    result = { ...common, accuracy: right / data.count, classes, confusion, notes: said };
  }
  io.out(options.json ? `${JSON.stringify(result, null, 2)}\n` : scoresText(result));
  return exitCodes.success;
}

function severalTargets(path: string, received: number): EspalierError {
  return new EspalierError("SHAPE_MISMATCH", {
    thing: path,
    rule: "must give one class or one number for each row",
    received,
    remedy: "Choose another output with --output.",
  });
}

function scoresText({
  data,
  examples,
  loss,
  accuracy,
  classes = [],
  confusion = [],
  rmse,
  mae,
  r2,
  notes,
}: Scores): string {
  const lines = [
    ...notes.map((note) => `note: ${note}`),
    `${data}: ${grouped(examples)} examples`,
    ...(accuracy === undefined
      ? []
      : [`accuracy ${score("accuracy", accuracy)}, loss ${loss.toPrecision(4)}`]),
    ...(rmse === undefined || mae === undefined
      ? []
      : [
          `RMSE ${rmse.toPrecision(5)}, MAE ${mae.toPrecision(5)}, R² ${r2 == null ? "undefined (all targets are equal)" : r2.toFixed(4)}`,
        ]),
  ];
  if (confusion.length > 0 && confusion.length <= mostClasses) {
    const columns: [TextColumn, ...TextColumn[]] = [
      { title: "  true \\ predicted", align: "left" },
      ...classes.map((title): TextColumn => ({ title, align: "right" })),
    ];
    lines.push(
      ...textTable(
        columns,
        confusion.map((row, at) => [`  ${classes[at]}`, ...row.map(grouped)]),
      ),
    );
  } else if (confusion.length > 0) lines.push("confusion matrix: with --json");
  return `${lines.map(visible).join("\n")}\n`;
}

/** A wider table cannot be read on a terminal. */
const mostClasses = 20;
