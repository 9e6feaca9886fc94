import { type Checkpoint, openCheckpoint } from "../../checkpoints/checkpoint.ts";
import { checkTarget } from "../../checkpoints/folder/new-folder.ts";
import { type PlannedFolder, planFolder } from "../../checkpoints/grow/plan-growth.ts";
import { type WrittenFolder, writeFolder } from "../../checkpoints/grow/write-folder.ts";
import { type HandOver, openHandOver } from "../../checkpoints/optimizer/hand-over.ts";
import { type FolderVerification, verifyFolders } from "../../checkpoints/verify/verify-folders.ts";
import { strategyOf } from "../../growth/strategies/index.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { grouped } from "../../tensor/number-text.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { badOption, strategyName, wholeNumber } from "../options/option-values.ts";
import { exitCodes } from "../print/exit-code.ts";
import { visible } from "../print/format.ts";
import type { CliIo } from "../print/io.ts";
import { textTable } from "../print/text-table.ts";
import {
  deepenedLayers,
  type FolderOptions,
  folderSizes,
  shardBytes,
  storedType,
  upcyclingOf,
} from "./folder-options.ts";
import { parametersOf } from "./inspect-folder.ts";
import { verdictOf } from "./verify-folder.ts";

export interface GrowFolderOptions extends FolderOptions {
  readonly widen: readonly string[];
  readonly deepen: readonly string[];
  readonly strategy?: string;
  readonly seed?: string;
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly verify: boolean;
  readonly json?: boolean;
}

/** `espalier grow` of a checkpoint folder. Returns the exit code. Throws `NOT_PRESERVED` if outputs would change. */
export async function growFolder(path: string, options: GrowFolderOptions, io: CliIo): Promise<number> {
  const { out } = options;
  if (out === undefined && options.dryRun !== true) {
    throw badOption("--out", "must name the new folder", "nothing", "For example --out NEW, or --dry-run.");
  }
  const seed = wholeNumber("--seed", options.seed ?? "0", 0);
  const strategy = strategyOf(strategyName(options.strategy ?? "random"));
  const after = deepenedLayers(options.deepen);
  const maxShardBytes = shardBytes(options.maxShardSize);
  const dtype = storedType(options.dtype);
  const upcycling = upcyclingOf(options);
  if (upcycling !== undefined && options.optimizer !== undefined) {
    throw badOption(
      "--optimizer",
      "cannot be given with --experts: transformers trains all experts of a layer as one tensor",
      options.optimizer,
      "Begin with a fresh state.",
    );
  }
  const checkpoint = await openCheckpoint(path);
  let optimizer: HandOver | undefined;
  try {
    const sizes = folderSizes(options.widen, options, checkpoint.structure);
    const planned = planFolder(checkpoint, { sizes, after, upcycling, dtype, strategy, seed });
    if (options.optimizer !== undefined) optimizer = await openHandOver(options.optimizer, checkpoint);
    let verification: FolderVerification | undefined;
    let written: WrittenFolder | undefined;
    let handed: readonly string[] = [];
    if (options.dryRun !== true && out !== undefined) {
      await checkTarget(out);
      const check = async (grown: Checkpoint) => {
        if (options.verify) verification = await verifyFolders(checkpoint, grown, seed);
        if (verification?.preserved === false) throw moved(path, verification);
        handed = (await optimizer?.writeTo(grown.folder, planned)) ?? [];
      };
      written = await writeFolder(checkpoint, planned, out, { maxShardBytes, check });
    }
    const outcome: Outcome = {
      path,
      out: written === undefined ? undefined : out,
      checkpoint,
      planned,
      written,
      verification,
      optimizer: optimizer === undefined ? undefined : { files: handed, assumed: optimizer.assumed },
    };
    io.out(
      options.json === true ? `${JSON.stringify(outcomeJson(outcome), null, 2)}\n` : outcomeText(outcome),
    );
  } finally {
    optimizer?.close();
    checkpoint.weights.close();
  }
  return exitCodes.success;
}

function moved(path: string, { maximum, relative }: FolderVerification): EspalierError {
  return new EspalierError("NOT_PRESERVED", {
    thing: path,
    rule: "must compute the same after growth, and does not; nothing was written",
    received: { largestDifference: maximum, relative },
    remedy: "This is a fault of espalier: please report it. --no-verify writes the folder all the same.",
  });
}

interface Outcome {
  readonly path: string;
  readonly out: string | undefined;
  readonly checkpoint: Checkpoint;
  readonly planned: PlannedFolder;
  readonly written: WrittenFolder | undefined;
  readonly verification: FolderVerification | undefined;
  readonly optimizer: { readonly files: readonly string[]; readonly assumed: string } | undefined;
}

const parametersAfter = ({ tensors }: PlannedFolder) =>
  tensors.reduce((sum, { dims }) => sum + sizeOf(dims), 0);

function outcomeJson({ path, out, checkpoint, planned, written, verification, optimizer }: Outcome): object {
  return {
    folder: path,
    out: out ?? null,
    modelType: checkpoint.family.type,
    dtype: planned.dtype,
    steps: planned.steps,
    parameters: { before: parametersOf(checkpoint), after: parametersAfter(planned) },
    config: planned.configText,
    files: written ?? null,
    verification: verification ?? null,
    optimizer: optimizer ?? null,
  };
}

function outcomeText({ path, out, checkpoint, planned, written, verification, optimizer }: Outcome): string {
  const left = (written?.left ?? []).filter((name) => optimizer?.files.includes(name) !== true);
  const table = textTable(
    [
      { title: "  field", align: "left" },
      { title: "size", align: "right" },
      { title: "method", align: "left" },
    ],
    planned.steps.map(({ field, from, to, method }) => [
      `  ${field}`,
      `${grouped(from)} → ${grouped(to)}`,
      method,
    ]),
  );
  const lines = [
    out === undefined ? `${path}: nothing was written` : `${path} → ${out}`,
    ...table,
    `parameters ${grouped(parametersOf(checkpoint))} → ${grouped(parametersAfter(planned))}, in ${planned.dtype}`,
    ...(written === undefined ? [] : [`carried over: ${written.copied.join(", ") || "nothing"}`]),
    ...(left.length === 0 ? [] : [`left behind: ${left.join(", ")}`]),
    ...(optimizer === undefined ? [] : [optimizerText(optimizer)]),
    ...(verification === undefined ? [] : [`outputs: ${verdictOf(verification)}`]),
  ];
  return `${lines.map(visible).join("\n")}\n`;
}

function optimizerText({ files, assumed }: NonNullable<Outcome["optimizer"]>): string {
  const wrote = files.length === 0 ? "read" : `grown with the weights: ${files.join(", ")}`;
  return `optimizer state ${wrote} (${assumed}); new weights begin with the mean square of their tensor`;
}
