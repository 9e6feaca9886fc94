import type { Command } from "commander";
import { modelOf, openCheckpoint } from "../../checkpoints/checkpoint.ts";
import { saveModel } from "../../models/model-file.ts";
import { checkOutput } from "../options/output-file.ts";
import { exitCodes } from "../print/exit-code.ts";
import { visible } from "../print/format.ts";
import type { CliIo } from "../print/io.ts";

interface ExportOptions {
  readonly onnx: string;
  readonly force?: boolean;
  readonly externalData?: boolean;
}

/** `espalier export FOLDER --onnx OUT`. */
export function exportCommand(command: Command, io: CliIo, finish: (code: number) => void): Command {
  return command
    .description("Write a checkpoint folder (config.json and safetensors) as an ONNX model, in float32.")
    .argument("<folder>", "folder with config.json and safetensors files; it is never changed")
    .requiredOption("--onnx <file>", "where to write the model")
    .option("--external-data", "put large weights into a file beside it; needed from 2 GiB on")
    .option("--force", "replace an output file that exists")
    .option("--debug", "print stack traces")
    .action(async (folder: string, options: ExportOptions) =>
      finish(await exportFolder(folder, options, io)),
    );
}

async function exportFolder(folder: string, options: ExportOptions, io: CliIo): Promise<number> {
  const { onnx, force = false, externalData = false } = options;
  const check = () => checkOutput(onnx, { option: "--onnx", force, inputs: [`${folder}/config.json`] });
  await check();
  const checkpoint = await openCheckpoint(folder);
  try {
    await saveModel(modelOf(checkpoint), onnx, { externalData });
  } finally {
    checkpoint.weights.close();
  }
  io.out(`${visible(`${folder} → ${onnx}`)}\n`);
  return exitCodes.success;
}
