import { platform } from "#platform";
import { planSafetensors, widestFirst } from "../../formats/safetensors-header.ts";
import { bytesPerElement } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { type Checkpoint, openCheckpoint } from "../checkpoint.ts";
import { partFiles } from "../folder/carry.ts";
import { generationName, renumberLayers } from "../folder/generation.ts";
import { writeNewFolder } from "../folder/new-folder.ts";
import { bytesFrom } from "../folder/reals.ts";
import { indexName, type StoredTensor } from "../folder/weights.ts";
import type { GrownTensor } from "./growing.ts";
import { rowsOf } from "./grown-rows.ts";
import type { PlannedFolder } from "./plan-growth.ts";
import { rowCount, rowLength } from "./rows.ts";

/** Entries of a block that is made and written at a time: 8 MiB of numbers. */
const blockEntries = 2 ** 20;

export interface WriteOptions {
  /** Bytes that a file of weights has at most; files as they are where absent. */
  readonly maxShardBytes?: number | undefined;
  /** Looks at the new folder before it gets its name; what it throws leaves nothing behind. */
  readonly check?: ((written: Checkpoint) => Promise<void>) | undefined;
}

/** What was written. */
export interface WrittenFolder {
  readonly copied: readonly string[];
  readonly left: readonly string[];
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Writes a planned folder, in blocks of rows, under a name of its own; once it is complete, on disk and opened again without
 * complaint, it gets its name. Until then, and after any error, there is nothing at `out`.
 */
export async function writeFolder(
  checkpoint: Checkpoint,
  planned: PlannedFolder,
  out: string,
  { maxShardBytes, check }: WriteOptions = {},
): Promise<WrittenFolder> {
  return writeNewFolder(out, async (temporary) => {
    const { copied, left } = partFiles(await platform.listFolder(checkpoint.folder));
    for (const name of copied) {
      const bytes = await platform.readFile(`${checkpoint.folder}/${name}`);
      const changes = name === generationName && planned.renumberings.length > 0;
      await platform.writeFile(
        `${temporary}/${name}`,
        changes ? renumberLayers(bytes, planned.renumberings) : bytes,
      );
    }
    const written = await writeShards(checkpoint, planned, temporary, maxShardBytes);
    if (written.index !== undefined) {
      await platform.writeFile(`${temporary}/${indexName}`, new TextEncoder().encode(written.index));
    }
    await platform.writeFile(`${temporary}/config.json`, new TextEncoder().encode(planned.configText));
    await checkWritten(temporary, planned, check);
    return { copied, left, files: written.files, bytes: written.bytes };
  });
}

/** Opens what was written as anybody would, and compares it with the plan. */
async function checkWritten(
  folder: string,
  planned: PlannedFolder,
  check: WriteOptions["check"],
): Promise<void> {
  const written = await openCheckpoint(folder);
  try {
    const wrong = planned.tensors.find(
      ({ name, dims }) => written.tensors.get(name)?.dims.join() !== dims.join(),
    );
    if (wrong !== undefined || written.tensors.size !== planned.tensors.length) {
      throw new EspalierError("FORMAT", {
        thing: folder,
        rule: "must hold the planned tensors",
        received: wrong?.name,
      });
    }
    await check?.(written);
  } finally {
    written.weights.close();
  }
}

interface Shard {
  readonly file: string;
  readonly tensors: readonly GrownTensor[];
  readonly metadata: ReadonlyMap<string, string>;
}

const bytesOfTensor = ({ dims, dtype }: GrownTensor) => sizeOf(dims) * bytesPerElement(dtype);

/** Which tensor goes into which file: those of the input, or as many as the limit asks for. */
function shardsOf(
  { weights }: Checkpoint,
  { tensors }: PlannedFolder,
  limit: number | undefined,
): readonly Shard[] {
  const format = new Map([["format", "pt"]]);
  if (limit === undefined) {
    return [...weights.shards].map(([file, metadata]) => ({
      file,
      metadata: new Map([...format, ...metadata]),
      tensors: tensors.filter(({ source }) => weights.tensors.get(source)?.shard === file),
    }));
  }
  const groups: GrownTensor[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    if (bytes + bytesOfTensor(tensor) > limit) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(tensor);
    bytes += bytesOfTensor(tensor);
  }
  const five = (number: number) => String(number).padStart(5, "0");
  return groups.map((group, at) => ({
    file:
      groups.length === 1
        ? "model.safetensors"
        : `model-${five(at + 1)}-of-${five(groups.length)}.safetensors`,
    metadata: format,
    tensors: group,
  }));
}

async function writeShards(
  checkpoint: Checkpoint,
  planned: PlannedFolder,
  folder: string,
  limit: number | undefined,
) {
  const shards = shardsOf(checkpoint, planned, limit).filter(({ tensors }) => tensors.length > 0);
  let bytes = 0;
  // The disk finishes one file while the next is made.
  let finishing = Promise.resolve();
  try {
    for (const { file, tensors, metadata } of shards) {
      const plan = planSafetensors(tensors, metadata);
      const target = await platform.createFile(`${folder}/${file}`);
      try {
        await target.write(plan.header);
        for (const tensor of widestFirst(tensors)) {
          for (const block of blocksOf(checkpoint, planned, tensor)) await target.write(block);
        }
        await finishing;
      } catch (error) {
        await target.close();
        throw error;
      }
      finishing = target.finish().finally(() => target.close());
      finishing.catch(() => {});
      bytes += plan.dataBytes;
    }
  } finally {
    await finishing;
  }
  const files = shards.map(({ file }) => file);
  const single = files.length === 1 && files[0] === "model.safetensors";
  return { files, bytes, index: single ? undefined : indexOf(shards, bytes) };
}

function indexOf(shards: readonly Shard[], bytes: number): string {
  const places = shards.flatMap(({ file, tensors }) => tensors.map(({ name }) => [name, file] as const));
  const sorted = places.sort(([a], [b]) => (a < b ? -1 : 1));
  const parameters = shards.reduce(
    (sum, { tensors }) => sum + tensors.reduce((own, { dims }) => own + sizeOf(dims), 0),
    0,
  );
  const index = {
    metadata: { total_parameters: parameters, total_size: bytes },
    weight_map: Object.fromEntries(sorted),
  };
  return `${JSON.stringify(index, null, 2)}\n`;
}

/** The bytes of a tensor, block by block; what does not change is copied as it lies. */
function* blocksOf(
  checkpoint: Checkpoint,
  { values }: PlannedFolder,
  tensor: GrownTensor,
): Generator<Uint8Array> {
  const stored = checkpoint.tensors.get(tensor.source) as StoredTensor;
  if (tensor.stages.length === 0 && stored.dtype === tensor.dtype) {
    const size = sizeOf(stored.dims);
    for (let at = 0; at < size; at += blockEntries) {
      yield checkpoint.weights.read(stored, at, Math.min(blockEntries, size - at));
    }
    return;
  }
  const rows = rowsOf(checkpoint.weights, stored, tensor, values);
  const length = rowLength(rows);
  const [count, each] = [rowCount(rows), Math.max(1, Math.floor(blockEntries / Math.max(1, length)))];
  // A row that nothing changes is copied as it lies, if its type is kept.
  const storedRow = (row: number) => (stored.dtype === tensor.dtype ? (rows.storedRow?.(row) ?? -1) : -1);
  for (let at = 0; at < count; ) {
    const first = storedRow(at);
    let run = 1;
    const goesOn = (next: number) => (first < 0 ? next < 0 : next === first + run);
    while (run < each && at + run < count && goesOn(storedRow(at + run))) run++;
    yield first < 0
      ? bytesFrom(rows.rows(at, run), tensor.dtype, rows.holding)
      : checkpoint.weights.read(stored, first * length, run * length);
    at += run;
  }
}
