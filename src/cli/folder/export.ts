import { type Command, Option } from "commander";
import { platform } from "#platform";
import { modelOf, openCheckpoint } from "../../checkpoints/checkpoint.ts";
import { checkTarget, writeNewFolder } from "../../checkpoints/folder/new-folder.ts";
import { encodeSafetensors } from "../../formats/safetensors.ts";
import { saveModel } from "../../models/model-file.ts";
import { decodeCheckpoint } from "../../training/history/checkpoint.ts";
import { readCheckpoint } from "../../training/history/checkpoint-folder.ts";
import { pytorchState } from "../../training/history/pytorch-state.ts";
import { badOption } from "../options/option-values.ts";
import { checkOutput } from "../options/output-file.ts";
import { exitCodes } from "../print/exit-code.ts";
import { visible } from "../print/format.ts";
import type { CliIo } from "../print/io.ts";

interface ExportOptions {
  readonly onnx?: string;
  readonly to?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly externalData?: boolean;
}

/** `espalier export FOLDER --onnx OUT` and `espalier export RUN --to pytorch --out NEW`. */
export function exportCommand(command: Command, io: CliIo, finish: (code: number) => void): Command {
  return command
    .description(
      "Write a checkpoint folder (config.json and safetensors) as an ONNX model, in float32, or a run for PyTorch.",
    )
    .argument("<folder>", "checkpoint folder, or with --to the folder of a run; it is never changed")
    .option("--onnx <file>", "where to write the model")
    .addOption(
      new Option(
        "--to <framework>",
        "write a run's weights and its state of Adam or AdamW as safetensors",
      ).choices(["pytorch"]),
    )
    .option("--out <folder>", "new folder, for --to")
    .option("--external-data", "put large weights into a file beside it; needed from 2 GiB on")
    .option("--force", "replace an output file that exists")
    .option("--debug", "print stack traces")
    .action(async (folder: string, options: ExportOptions) =>
      finish(await exportFolder(folder, options, io)),
    );
}

async function exportFolder(folder: string, options: ExportOptions, io: CliIo): Promise<number> {
  const { onnx, to, out, force = false, externalData = false } = options;
  if ((onnx === undefined) === (to === undefined)) {
    throw badOption("--onnx", "or --to pytorch must be given, and only one of them", onnx ?? "neither");
  }
  if (onnx === undefined) return exportRun(folder, out, io);
  if (out !== undefined) throw badOption("--out", "goes with --to pytorch", out);
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

/** Writes the newest checkpoint of a run as two safetensors files. */
async function exportRun(run: string, out: string | undefined, io: CliIo): Promise<number> {
  if (out === undefined) {
    throw badOption("--out", "must name the new folder", "nothing", "For example --out NEW.");
  }
  await checkTarget(out);
  const { path, bytes } = await readCheckpoint(`${run}/checkpoints`);
  const checkpoint = await decodeCheckpoint(bytes, path);
  const { weights, optimizer, group } = pytorchState(checkpoint);
  const metadata = new Map([["format", "pt"]]);
  await writeNewFolder(out, async (temporary) => {
    await platform.writeFile(`${temporary}/model.safetensors`, encodeSafetensors(weights, metadata));
    const groups = metadata.set("param_groups", JSON.stringify([group]));
    await platform.writeFile(`${temporary}/optimizer.safetensors`, encodeSafetensors(optimizer, groups));
  });
  const { step } = checkpoint.state.progress;
  io.out(
    `${visible(`${run} at step ${step} → ${out}: ${weights.size} weights, state of ${group.optimizer}`)}\n`,
  );
  return exitCodes.success;
}
