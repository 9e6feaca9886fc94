import { bytesPerElement, type DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { type ArchiveEntry, type ReadRange, readArchive } from "./archive.ts";
import { pickle } from "./pickle.ts";
import { unpickle } from "./unpickle.ts";
import { PythonTuple, TorchTensor, type TorchValue } from "./value.ts";
import { archivePieces, type StoredFile } from "./write-archive.ts";

/** A file that `torch.save` wrote; a tensor's elements are read on demand. */
export interface TorchFile {
  readonly value: TorchValue;
  /** Bytes of `count` elements of a tensor, starting at element `from`. */
  read(tensor: TorchTensor, from: number, count: number): Uint8Array;
}

const maxPickleBytes = 2 ** 24;

/** Files that torch puts next to the state, and what the readable ones must contain. */
const beside =
  /^(version|byteorder|\.format_version|\.storage_alignment|\.data\/serialization_id|data\/\d{1,9})$/;

/**
 * Opens a file that `torch.save` wrote (torch 1.6 or later), using `read` to read ranges. Nothing in it is executed.
 * Throws `FORMAT` for anything but plain state, and `TOO_LARGE` for a pickle over 16 MiB.
 */
export function openTorchFile(read: ReadRange, size: number): TorchFile {
  const entries = readArchive(read, size);
  const main = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (main === undefined) {
    throw new EspalierError("FORMAT", {
      thing: "torch file",
      rule: "must have a data.pkl",
      received: [...entries.keys()].slice(0, 5),
      remedy: "Save the state with torch.save.",
    });
  }
  const prefix = main.slice(0, -"data.pkl".length);
  for (const name of entries.keys()) {
    if (name === main || (name.startsWith(prefix) && beside.test(name.slice(prefix.length)))) continue;
    throw new EspalierError("FORMAT", {
      thing: "torch file",
      rule: "must have only the files that torch.save writes",
      received: name,
      remedy: "A TorchScript model, for example, is not plain state: save the state_dict with torch.save.",
    });
  }
  const order = entries.get(`${prefix}byteorder`);
  if (order !== undefined) checkOrder(read(order.begin, Math.min(order.size, 16)));
  const pickled = entries.get(main) as ArchiveEntry;
  if (pickled.size > maxPickleBytes) {
    throw new EspalierError("TOO_LARGE", {
      thing: main,
      rule: `may have at most ${maxPickleBytes} bytes`,
      received: pickled.size,
      remedy: "Tensors are stored outside it; a file with this many other values is not supported.",
    });
  }
  const value = unpickle(read(pickled.begin, pickled.size));
  const storages = new Map<string, DType>();
  for (const tensor of tensorsIn(value))
    checkStorage(tensor, entries.get(`${prefix}data/${tensor.storage}`), storages);
  return {
    value,
    read(tensor, from, count) {
      const { begin } = entries.get(`${prefix}data/${tensor.storage}`) as ArchiveEntry;
      const width = bytesPerElement(tensor.dtype);
      return read(begin + (tensor.offset + from) * width, count * width);
    },
  };
}

function checkOrder(bytes: Uint8Array): void {
  const order = new TextDecoder().decode(bytes);
  if (order === "little") return;
  throw new EspalierError("FORMAT", {
    thing: "torch file",
    rule: "must come from a little-endian machine",
    received: order,
    remedy: "Load and save it again on such a machine.",
  });
}

function checkStorage(
  { dtype, dims, storage, offset }: TorchTensor,
  entry: ArchiveEntry | undefined,
  known: Map<string, DType>,
): void {
  const needed = (offset + sizeOf(dims)) * bytesPerElement(dtype);
  const before = known.get(storage) ?? dtype;
  known.set(storage, before);
  if (entry !== undefined && needed <= entry.size && before === dtype) return;
  throw new EspalierError("FORMAT", {
    thing: `storage ${storage}`,
    rule: before === dtype ? `must have the ${needed} bytes of its tensor` : `must be of one type, ${before}`,
    received: before === dtype ? (entry?.size ?? "no such storage") : dtype,
    remedy: "The file is damaged: save it again with torch.save.",
  });
}

/** Every tensor in a value, as often as it occurs. */
function* tensorsIn(value: TorchValue): Generator<TorchTensor> {
  if (value instanceof TorchTensor) yield value;
  else if (value instanceof PythonTuple) for (const item of value.items) yield* tensorsIn(item);
  else if (value instanceof Map || Array.isArray(value)) {
    for (const item of (value as readonly TorchValue[]).values()) yield* tensorsIn(item);
  }
}

/**
 * The pieces of a file that `torch.load` opens, even with `weights_only=True`. `elements` gives the bytes of a tensor;
 * each tensor must have a separate storage, named by a number.
 */
export function torchFilePieces(
  value: TorchValue,
  elements: (tensor: TorchTensor) => Iterable<Uint8Array>,
): Iterable<Uint8Array> {
  const text = (name: string, content: string) => bytesFile(name, new TextEncoder().encode(content));
  const storages = [...tensorsIn(value)].map(
    (tensor): StoredFile => ({
      name: `archive/data/${tensor.storage}`,
      size: sizeOf(tensor.dims) * bytesPerElement(tensor.dtype),
      pieces: () => elements(tensor),
    }),
  );
  return archivePieces([
    bytesFile("archive/data.pkl", pickle(value)),
    text("archive/byteorder", "little"),
    ...storages,
    text("archive/version", "3\n"),
  ]);
}

function bytesFile(name: string, bytes: Uint8Array): StoredFile {
  return { name, size: bytes.length, pieces: () => [bytes] };
}
