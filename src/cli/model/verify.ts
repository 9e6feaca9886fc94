import { type Command, Option } from "commander";
import { platform } from "#platform";
import { comparedData } from "../../training/verification/data-feeds.ts";
import { verifyModels } from "../../training/verification/verify.ts";
import { verifyFolder } from "../folder/verify-folder.ts";
import { feedOption, readFeeds } from "../options/feed-option.ts";
import { type ModelDataOptions, modelData, modelDataOptions } from "../options/model-data.ts";
import { type ModelFileOptions, modelOptions, openModel } from "../options/model-option.ts";
import { wholeNumber } from "../options/option-values.ts";
import { sizesOfChecks } from "../options/sizes-option.ts";
import { networkIn } from "../options/trained-model.ts";
import { visible } from "../print/format.ts";
import { type CliIo, noteTo } from "../print/io.ts";
import {
  exitCodeOfOutcome,
  verdict,
  verificationJson,
  verificationText,
} from "../print/verification-text.ts";
import { newUnitsReport, newUnitsText } from "./new-units-report.ts";

export interface VerifyCommandOptions extends ModelFileOptions, ModelDataOptions {
  readonly seed: string;
  readonly sizes: readonly string[];
  readonly feed: readonly string[];
  readonly json?: boolean;
}

const examples = `
Examples:
  espalier verify model.onnx model.grown.onnx
  espalier verify bert.onnx wide.onnx --sizes batch=1,sequence=64 --sizes batch=8,sequence=16 --seed 3
  espalier verify model.onnx model.grown.onnx --data digits      and the gradient of the new weights
  espalier verify vad.onnx vad.grown.onnx --feed sr=16000          an input that is to have this value
  espalier verify model.onnx model.grown.onnx --json | jq .preserved
`;

export function verifyCommand(command: Command, io: CliIo, finish: (code: number) => void): Command {
  command
    .description("Run two models on the same seeded inputs and compare every output.")
    .argument("<before>", "ONNX file")
    .argument("<after>", "ONNX file with the same inputs and outputs")
    .option("--seed <number>", "of the inputs", "0")
    .addOption(
      new Option("--sizes <sizes>", "sizes of symbolic axes, such as batch=3,sequence=7; repeatable")
        .argParser((value: string, before: readonly string[]) => [...before, value])
        .default([], "several small ones"),
    )
    .addOption(feedOption())
    .option("--json", "print one JSON document on stdout")
    .option("--debug", "print stack traces");
  modelDataOptions(
    command,
    "also compare on data, in the forms that train accepts, and show the gradients of new units",
  );
  return modelOptions(command, "read weights from files next to the models")
    .addHelpText("after", examples)
    .action(async (before: string, after: string, options: VerifyCommandOptions) =>
      finish(await verify(before, after, options, io)),
    );
}

/** `espalier verify`. Returns the exit code. */
export async function verify(
  beforePath: string,
  afterPath: string,
  options: VerifyCommandOptions,
  io: CliIo,
): Promise<number> {
  const seed = wholeNumber("--seed", options.seed, 0);
  if ((await platform.kindOf(beforePath)) === "folder") {
    return verifyFolder(beforePath, afterPath, { seed, json: options.json ?? false }, io);
  }
  const { model: first, notes } = await openModel(beforePath, options);
  const { model: second, notes: moreNotes } = await openModel(afterPath, options);
  const [old, grown] = [networkIn(first, beforePath), networkIn(second, afterPath)];
  // Rows are read according to a record if both models share it; then the networks inside are compared.
  const record = JSON.stringify(old.preprocessing);
  const inside =
    options.data !== undefined && record !== undefined && record === JSON.stringify(grown.preprocessing);
  const [before, after] = inside ? [old.model, grown.model] : [first, second];
  noteTo(io, [...notes, ...moreNotes]);
  const given = readFeeds(options.feed, before);
  const loaded = await modelData(before, beforePath, seed, options, inside ? old.preprocessing : undefined);
  const sizes = sizesOfChecks(options.sizes, before, loaded?.task.sizes);
  const data = loaded === undefined ? [] : [comparedData(before, loaded.data)];
  const result = await verifyModels(before, after, {
    seed,
    given,
    data,
    ...(sizes.length === 0 ? {} : { sizes }),
  });
  const units = await newUnitsReport(first, second, seed, { ...options, afterPath });
  if (options.json) {
    const document = {
      before: beforePath,
      after: afterPath,
      seed,
      ...verificationJson(result),
      newUnits: units ?? null,
    };
    io.out(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    const lines = [visible(`${afterPath}: ${verdict(result)}`), ...verificationText(result)];
    if (units !== undefined) lines.push(...newUnitsText(units));
    io.out(`${lines.join("\n")}\n`);
  }
  return exitCodeOfOutcome(result);
}
