import type { Command } from "commander";
import type { Dataset } from "../../data/dataset.ts";
import type { Preprocessing } from "../../data/preprocessing/index.ts";
import type { Model } from "../../graph/model.ts";
import type { Task } from "../../training/graphs/task.ts";
import type { Sizes } from "../../training/settings/task-options.ts";
import { batchAxisHelp } from "./batch-axis-option.ts";
import { type DataOptions, loadData, withRecord } from "./data-option.ts";
import { lossHelp, lossOption, predictsOf } from "./loss-option.ts";
import { badOption } from "./option-values.ts";
import { parseSizes } from "./sizes-option.ts";
import {
  optionName,
  type RawTableOptions,
  readTableOptions,
  tableOptionNames,
  tableOptions,
} from "./table-options.ts";
import { checkTrainable, fitData, modelTask, taskOptions } from "./trained-model.ts";

/** Data to look at a model on, as typed. */
export interface ModelDataOptions extends RawTableOptions {
  readonly data?: string;
  readonly loss?: string;
  readonly output?: string;
  readonly batchAxis?: string;
  /**
   * The first of these gives the shape of an example, which rows of numbers get if a model leaves sizes open.
   */
  readonly sizes?: readonly string[];
}

/** Adds `--data` and its companions. */
export function modelDataOptions(command: Command, data: string): Command {
  return tableOptions(command.option("--data <what>", data))
    .option("--loss <name>", lossHelp)
    .option(
      "--output <name>",
      "output of the model that the loss is computed from (default: the one that fits the data)",
    )
    .option("--batch-axis <axis>", batchAxisHelp);
}

/**
 * The training part of the data, read according to `record` if the model has one and in the shape that the model takes,
 * and what the model is measured for. Undefined without `--data`. Throws `USAGE`, and typed errors if data and model do
 * not fit.
 */
export async function modelData(
  model: Model,
  path: string,
  seed: number,
  options: ModelDataOptions,
  record?: Preprocessing,
  told?: Sizes,
): Promise<{ readonly data: Dataset; readonly task: Task } | undefined> {
  const { data: source, standardize = false } = options;
  if (source === undefined) {
    const needless = ([...tableOptionNames, "loss", "output", "batchAxis"] as const).find(
      (name) => options[name] !== undefined,
    );
    if (needless === undefined) return undefined;
    throw badOption(optionName(needless), "goes with --data", options[needless]);
  }
  const wanted = lossOption(options.loss);
  checkTrainable(model, path);
  const loading: DataOptions = {
    data: source,
    table: readTableOptions(options, wanted),
    standardize,
    scaleTarget: standardize && (wanted === undefined || predictsOf(wanted) === "number"),
    testFraction: 0.2,
    validationFraction: 0,
    seed,
    images: false,
  };
  const loaded = await loadData(withRecord(loading, record));
  const [first] = options.sizes ?? [];
  const { train } = fitData(loaded, model, first === undefined ? told : parseSizes(first, model));
  const task = modelTask(model, train, {
    loss: wanted,
    ...taskOptions(options),
    ...(told === undefined ? {} : { sizes: told }),
  });
  return { data: train, task: { ...task, notes: [...(train.notes ?? []), ...task.notes] } };
}
