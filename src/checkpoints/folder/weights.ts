import { platform } from "#platform";
import { makeLimits } from "../../formats/limits.ts";
import { readSafetensorsHeader, type Slot } from "../../formats/safetensors-header.ts";
import type { SourceFile } from "../../platform/platform.ts";
import { bytesPerElement, type DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf } from "../../tensor/tensor.ts";

/** A tensor in a folder's files, and its position. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Name of its file. */
  readonly shard: string;
  /** Offset of its first byte in the file. */
  readonly begin: number;
}

/** The open safetensors files of a folder; values are read on demand. */
export interface Weights {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Files in the order of their names, with the metadata of each. */
  readonly shards: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Whether an index file maps tensors to files. */
  readonly indexed: boolean;
  /** Bytes of `count` elements from element `from` on. */
  read(tensor: StoredTensor, from: number, count: number): Uint8Array;
  close(): void;
}

const single = "model.safetensors";
export const indexName = "model.safetensors.index.json";
const maxIndexBytes = 2 ** 28;

/**
 * Opens the weights of a folder: model.safetensors, or the files that its index names. An index must agree
 * with the headers of the files. Throws `FILE_MISSING`, `FORMAT`, `UNSUPPORTED_TYPE`.
 */
export async function openWeights(folder: string): Promise<Weights> {
  const names = await platform.listFolder(folder);
  const hasIndex = names.includes(indexName);
  if (hasIndex && names.includes(single)) {
    throw new EspalierError("FORMAT", {
      thing: folder,
      rule: `must not have both ${single} and ${indexName}: readers use the first, whatever it contains`,
      received: [single, indexName],
      remedy: "Remove the one that is stale.",
    });
  }
  const map = hasIndex ? await readIndex(folder) : undefined;
  const files = map === undefined ? [single] : [...new Set(map.values())].sort();
  if (map === undefined && !names.includes(single)) throw noWeights(folder, names);
  const open = new Map<string, SourceFile>();
  const close = () => {
    for (const file of open.values()) file.close();
  };
  try {
    const tensors = new Map<string, StoredTensor>();
    const shards = new Map<string, ReadonlyMap<string, string>>();
    for (const shard of files) {
      const file = platform.openFile(`${folder}/${shard}`);
      open.set(shard, file);
      const header = readSafetensorsHeader(
        (offset, length) => file.read(offset, length),
        file.size,
        makeLimits(),
      );
      shards.set(shard, header.metadata);
      for (const slot of header.slots) {
        checkSlot(slot, shard, map, tensors);
        const { name, dtype, dims } = slot;
        tensors.set(name, { name, dtype, dims, shard, begin: header.dataStart + slot.begin });
      }
    }
    const lost = [...(map?.keys() ?? [])].find((name) => !tensors.has(name));
    if (lost !== undefined) throw wrongIndex(lost, map?.get(lost), "is in no file");
    return {
      tensors,
      shards,
      indexed: hasIndex,
      read(tensor, from, count) {
        const width = bytesPerElement(tensor.dtype);
        return (open.get(tensor.shard) as SourceFile).read(tensor.begin + from * width, count * width);
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function checkSlot(
  { name, thing, dtype, dims, begin, end }: Slot,
  shard: string,
  map: ReadonlyMap<string, string> | undefined,
  known: ReadonlyMap<string, StoredTensor>,
): void {
  const bytes = sizeOf(dims) * bytesPerElement(dtype);
  if (end - begin !== bytes) {
    throw new EspalierError("FORMAT", { thing, rule: `needs ${bytes} bytes`, received: end - begin });
  }
  const other = known.get(name);
  if (other !== undefined) {
    throw new EspalierError("FORMAT", { thing, rule: "must be in one file", received: [other.shard, shard] });
  }
  if (map !== undefined && map.get(name) !== shard) throw wrongIndex(name, map.get(name), `is in ${shard}`);
}

function wrongIndex(name: string, received: string | undefined, rule: string): EspalierError {
  return new EspalierError("FORMAT", {
    thing: `${indexName}, "${name}"`,
    rule: `must name the file that contains it, which ${rule}`,
    received: received ?? "nothing",
    remedy: "The index belongs to other files: fetch the folder again, or save the model again.",
  });
}

async function readIndex(folder: string): Promise<ReadonlyMap<string, string>> {
  const thing = `${folder}/${indexName}`;
  const text = new TextDecoder().decode(await platform.readFile(thing, maxIndexBytes));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new EspalierError("FORMAT", { thing, rule: "must be JSON", cause });
  }
  const map = (json as { readonly weight_map?: unknown } | null)?.weight_map;
  const isName = (name: unknown) => typeof name === "string" && /^[^/\\]+\.safetensors$/.test(name);
  if (typeof map === "object" && map !== null && Object.values(map).every(isName)) {
    return new Map(Object.entries(map as Readonly<Record<string, string>>));
  }
  throw new EspalierError("FORMAT", {
    thing,
    rule: "must have a weight_map from tensors to files of this folder",
    received: text.slice(0, 80),
  });
}

function noWeights(folder: string, names: readonly string[]): EspalierError {
  const other = names.find((name) => /\.(bin|pt|pth|h5|msgpack|gguf)$/.test(name));
  return new EspalierError("FILE_MISSING", {
    thing: folder,
    rule: `must have ${single} or ${indexName}`,
    received: other ?? names.slice(0, 5),
    remedy: "Save it with transformers: AutoModel….from_pretrained(FOLDER).save_pretrained(NEW).",
  });
}
