import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { crc32 } from "../../src/formats/crc32.ts";
import { openTorchFile, torchFilePieces } from "../../src/formats/torch/torch-file.ts";
import type { TorchTensor } from "../../src/formats/torch/value.ts";
import { EspalierError } from "../../src/tensor/errors.ts";
import { Random } from "../../src/tensor/random.ts";
import { sizeOf } from "../../src/tensor/tensor.ts";
import { lawRuns } from "../laws/seed.ts";
import { campaign } from "./campaign.ts";

const { seed, numRuns } = lawRuns("mutated torch files", 3000);

const start = new Uint8Array(readFileSync(new URL("../fixtures/adamw.pt", import.meta.url)));
const listAt = Buffer.from(start).indexOf("PK\x01\x02", 0, "latin1");
/** The position of the pickle: the archive's first file, after 64 bytes. */
const pickle = { begin: 64, size: new DataView(start.buffer, start.byteOffset).getUint32(listAt + 24, true) };

/** Opcodes, including some that torch does not write, and numbers close to sizes. */
const pieces = [
  [0x80, 2],
  [125],
  [93],
  [41],
  [40],
  [117],
  [101],
  [116],
  [82],
  [81],
  [113, 0],
  [104, 0],
  [104, 5],
  [46],
  [48],
  [50],
  [98],
  [129],
  [75, 255],
  [74, 255, 255, 255, 255],
  [74, 255, 255, 255, 127],
  [138, 8, 0, 0, 0, 0, 0, 0, 0, 128],
  [88, 255, 255, 255, 255],
  [...Buffer.from("cos\nsystem\n")],
  [...Buffer.from("ctorch\nFloatStorage\n")],
  [0, 0, 0, 0],
  [255, 255, 255, 255],
] as const;

/** Changes bytes in the pickle (correcting its checksum), in the headers and the list, or anywhere. */
function mutate(random: Random): Uint8Array {
  const bytes = start.slice();
  const put = (from: number, to: number) => {
    const piece = pieces[random.integer(pieces.length)] as readonly number[];
    const at = from + random.integer(to - from);
    const drawn = random.integer(3) === 0 ? [random.integer(256)] : piece;
    bytes.set(drawn.slice(0, to - at), at);
  };
  const kind = random.integer(4);
  const times = 1 + random.integer(3);
  for (let count = 0; count < times; count++) {
    if (kind < 2) put(pickle.begin, pickle.begin + pickle.size);
    else if (kind === 2) put(listAt, bytes.length);
    else put(0, bytes.length);
  }
  if (kind < 2) {
    const sum = crc32(bytes.subarray(pickle.begin, pickle.begin + pickle.size));
    new DataView(bytes.buffer).setUint32(listAt + 16, sum, true);
  }
  return random.integer(16) === 0 ? bytes.subarray(0, random.integer(bytes.length + 1)) : bytes;
}

/** The code of a typed error, or that the file was read; the result can be written and read again. */
function run(bytes: Uint8Array): string {
  try {
    const { value, read } = openTorchFile(
      (offset, length) => bytes.slice(offset, offset + length),
      bytes.length,
    );
    const elements = (tensor: TorchTensor) => [read(tensor, 0, sizeOf(tensor.dims))];
    const written = new Uint8Array(Buffer.concat([...torchFilePieces(value, elements)]));
    const again = openTorchFile((offset, length) => written.slice(offset, offset + length), written.length);
    expect([...torchFilePieces(again.value, elements)].length).toBeGreaterThan(0);
    return "read";
  } catch (error) {
    if (error instanceof EspalierError) return error.code;
    throw error;
  }
}

test(
  "a mutated torch file is read, or refused with a typed error",
  () =>
    campaign({ seed, numRuns, expected: ["read", "FORMAT"] }, (index) =>
      run(mutate(new Random(seed, "torch file", index))),
    ),
  30 * 60_000,
);
