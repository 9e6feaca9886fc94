import type { Command } from "commander";
import type { Dataset } from "../data/dataset.ts";
import type { Model } from "../graph/model.ts";
import { type LossName, losses } from "../training/loss.ts";
import type { Task } from "../training/task.ts";
import { loadData } from "./data-option.ts";
import { badOption, oneOf } from "./option-values.ts";
import { checkTrainable, fitData, modelTask } from "./trained-model.ts";

/** Data to look at a model on, as typed. */
export interface ModelDataOptions {
  readonly data?: string;
  readonly label?: string;
  readonly delimiter?: string;
  readonly standardise?: boolean;
  readonly loss?: string;
  readonly output?: string;
}

/** Adds `--data` and what goes with it. */
export function modelDataOptions(command: Command, data: string): Command {
  return command
    .option("--data <what>", data)
    .option("--label <column>", "label column of a CSV file (default: the last)")
    .option("--delimiter <character>", "what separates the cells of a CSV file (default: ,)")
    .option("--standardise", "subtract the mean and divide by the deviation of each feature")
    .option("--loss <name>", `${Object.keys(losses).join(", ")} (default: by the data and the model)`)
    .option(
      "--output <name>",
      "output of the model that the loss is taken of (default: the one that fits the data)",
    );
}

/**
 * The training part of the data, shaped as a model takes it, and what the model is measured for. Undefined without `--data`. Throws
 * `USAGE`, and typed errors where data and model do not fit.
 */
export async function modelData(
  model: Model,
  path: string,
  seed: number,
  options: ModelDataOptions,
): Promise<{ readonly data: Dataset; readonly task: Task } | undefined> {
  const { data: source, label, delimiter, standardise = false } = options;
  if (source === undefined) {
    const needless = (["label", "delimiter", "standardise", "loss", "output"] as const).find(
      (name) => options[name],
    );
    if (needless === undefined) return undefined;
    throw badOption(`--${needless}`, "goes with --data", options[needless]);
  }
  const names = Object.keys(losses) as LossName[];
  const wanted = options.loss === undefined ? undefined : oneOf("--loss", options.loss, names);
  checkTrainable(model, path);
  const loaded = await loadData({
    data: source,
    label,
    delimiter,
    target: wanted === "meanSquaredError" ? "number" : wanted === "crossEntropy" ? "class" : "auto",
    standardise,
    testFraction: 0.2,
    validationFraction: 0,
    seed,
    images: false,
  });
  const { train } = fitData(loaded, model);
  return { data: train, task: modelTask(model, train, { loss: wanted, output: options.output }) };
}
