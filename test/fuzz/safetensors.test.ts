import { expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../../src/formats/safetensors.ts";
import { EspalierError } from "../../src/tensor/errors.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, int64, type Tensor } from "../../src/tensor/tensor.ts";
import { lawRuns } from "../laws/seed.ts";
import { campaign } from "./campaign.ts";

const { seed, numRuns } = lawRuns("mutated safetensors", 5000);

const half: Tensor = { dtype: "float16", dims: [3], data: Uint16Array.of(1, 2, 3) };
const starts = [
  encodeSafetensors(new Map([["weight", float32([2, 2], [1, 2, 3, 4])]]), new Map([["format", "pt"]])),
  encodeSafetensors(
    new Map([
      ["a.b", int64([2], [7, -1])],
      ["half", half],
      ["none", float32([0, 3], [])],
    ]),
  ),
  encodeSafetensors(new Map([["one", float32([], [1])]])),
];

/** Pieces of headers, valid and almost valid. */
const pieces =
  '{ } [ ] , : " \\ \\u0000 \\ud800 null true 0 -1 1.5 1e9 1e400 00 9007199254740993 18446744073709551616 "F32" "I64" "F4" "BOOL" "dtype" "shape" "data_offsets" "__metadata__" "__proto__" [0,4] [4,0] [[[[ {"a": é \t \n'.split(
    " ",
  );

/** Text replaces a few bytes of the header, whose length is corrected or not; then bytes change anywhere. */
function mutate(start: Uint8Array, random: Random): Uint8Array {
  const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  let header: number[] = [...start.subarray(8, 8 + length)];
  for (let count = random.integer(3); count > 0; count--) {
    const at = random.integer(header.length + 1);
    const taken = header.slice(at, at + random.integer(12));
    const piece = pieces[random.integer(pieces.length)] as string;
    const times = random.integer(50) === 0 ? 20_000 : 1;
    const put = random.integer(4) === 0 ? [...taken, ...taken] : [...Buffer.from(piece.repeat(times))];
    header = [...header.slice(0, at), ...put, ...header.slice(at + taken.length)];
  }
  const data = start.subarray(8 + length, start.length + random.integer(3) - 1);
  const bytes = new Uint8Array(8 + header.length + data.length);
  const lie = [0, 0, 0, 0, 1, -1, 8, 2 ** 40][random.integer(8)] as number;
  new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.max(0, header.length + lie)), true);
  bytes.set(header, 8);
  bytes.set(data, 8 + header.length);
  for (let count = random.integer(3); count > 0; count--) {
    bytes[random.integer(bytes.length)] = random.integer(256);
  }
  return random.integer(16) === 0 ? bytes.subarray(0, random.integer(bytes.length + 1)) : bytes;
}

/** The code of a typed error, or that the file was read; the result must survive being written and read. */
function run(bytes: Uint8Array): string {
  try {
    const { tensors, metadata } = decodeSafetensors(bytes);
    const written = encodeSafetensors(tensors, metadata);
    const again = decodeSafetensors(written);
    expect(Buffer.compare(encodeSafetensors(again.tensors, again.metadata), written)).toBe(0);
    return "read";
  } catch (error) {
    if (error instanceof EspalierError) return error.code;
    throw error;
  }
}

test(
  "a mutated safetensors file is read, or refused with a typed error",
  () =>
    campaign({ seed, numRuns, expected: ["read", "FORMAT"] }, (index) => {
      const random = new Random(seed, "safetensors", index);
      return run(mutate(starts[random.integer(starts.length)] as Uint8Array, random));
    }),
  30 * 60_000,
);
