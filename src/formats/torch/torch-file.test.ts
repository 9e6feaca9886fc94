import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { EspalierError } from "../../tensor/errors.ts";
import { readArchive } from "./archive.ts";
import { openTorchFile, torchFilePieces } from "./torch-file.ts";
import { unpickle } from "./unpickle.ts";
import { PythonTuple, TorchTensor, type TorchValue } from "./value.ts";
import { archivePieces } from "./write-archive.ts";

const fixture = new Uint8Array(readFileSync(new URL("../../../test/fixtures/adamw.pt", import.meta.url)));

const open = (bytes: Uint8Array) =>
  openTorchFile((offset, length) => bytes.slice(offset, offset + length), bytes.length);

const joined = (pieces: Iterable<Uint8Array>) => new Uint8Array(Buffer.concat([...pieces]));

const ascii = (text: string) => new TextEncoder().encode(text);

/** A torch archive with this pickle, and `storage` as its storage 0. */
const fileOf = (pickle: readonly number[], storage = new Uint8Array(8)) =>
  joined(
    archivePieces(
      [
        ["a/data.pkl", Uint8Array.from(pickle)] as const,
        ["a/byteorder", ascii("little")] as const,
        ["a/data/0", storage] as const,
      ].map(([name, bytes]) => ({ name, size: bytes.length, pieces: () => [bytes] })),
    ),
  );

function refusalOf(run: () => unknown): EspalierError {
  try {
    run();
  } catch (error) {
    if (error instanceof EspalierError) return error;
    throw error;
  }
  throw new Error("was read");
}

/** The pickle of protocol 2 with these opcodes, as numbers and as text. */
const pickled = (...parts: readonly (number | string)[]) =>
  [0x80, 2, ...parts, 46].flatMap((part) => (typeof part === "string" ? [...ascii(part)] : [part]));

const text = (content: string) => [88, content.length, 0, 0, 0, content] as const;
const storageOf = (name: string, size: number) =>
  [
    40,
    ...text("storage"),
    "ctorch\nFloatStorage\n",
    ...text(name),
    ...text("cpu"),
    75,
    size,
    116,
    81,
  ] as const;
const tensorOf = (sizes: readonly number[], strides: readonly number[], size = 2, offset = 0) =>
  [
    "ctorch._utils\n_rebuild_tensor_v2\n",
    40,
    ...storageOf("0", size),
    ...[75, offset],
    40,
    ...sizes.flatMap((one) => [75, one]),
    116,
    40,
    ...strides.flatMap((one) => [75, one]),
    116,
    137,
    "ccollections\nOrderedDict\n",
    ...[41, 82, 116, 82],
  ] as const;

describe("a file that torch wrote", () => {
  test("is read: the state of AdamW in two groups", () => {
    const { value, read } = open(fixture);
    const state = (value as ReadonlyMap<string, TorchValue>).get("state") as ReadonlyMap<bigint, TorchValue>;
    expect([...state.keys()]).toEqual([0n, 1n, 2n, 3n]);
    const first = state.get(0n) as ReadonlyMap<string, TorchTensor>;
    const step = first.get("step") as TorchTensor;
    expect(step.dims).toEqual([]);
    expect(new Float32Array(read(step, 0, 1).buffer)).toEqual(Float32Array.of(1));
    const moments = first.get("exp_avg") as TorchTensor;
    expect([moments.dtype, moments.dims]).toEqual(["float32", [4, 3]]);
    const mean = new Float32Array(read(moments, 0, 12).buffer);
    const squares = new Float32Array(read(first.get("exp_avg_sq") as TorchTensor, 0, 12).buffer);
    // After one step v is (1 - 0.999) g², and m is (1 - 0.9) g.
    mean.forEach((m, at) => {
      expect(squares[at]).toBeCloseTo(0.001 * (m / 0.1) ** 2, 6);
    });
    expect(Math.max(...mean.map(Math.abs))).toBeGreaterThan(0.001);
    const [decayed] = (value as ReadonlyMap<string, TorchValue>).get("param_groups") as TorchValue[];
    expect(decayed).toEqual(
      new Map<string, TorchValue>([
        ["weight_decay", 0.1],
        ["lr", 0.001],
        ["betas", new PythonTuple([0.9, 0.999])],
        ["eps", 1e-8],
        ["amsgrad", false],
        ["maximize", false],
        ["foreach", null],
        ["capturable", false],
        ["differentiable", false],
        ["fused", null],
        ["decoupled_weight_decay", true],
        ["params", [0n, 1n]],
      ]),
    );
  });

  test("gives back what was written, at places that are multiples of 64 bytes", () => {
    const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
    const value: TorchValue = new Map<string, TorchValue>([
      ["numbers", [0n, -1n, 2n ** 40n, -(2n ** 63n), 0.5, -0, Number.NaN]],
      ["others", new PythonTuple([null, true, false, "é", new PythonTuple([]), [], new Map()])],
      ["one", new TorchTensor("float32", [2, 1], "0")],
      ["two", new TorchTensor("bfloat16", [4], "1")],
    ]);
    const written = joined(torchFilePieces(value, () => [bytes.subarray(0, 3), bytes.subarray(3)]));
    const { value: again, read } = open(written);
    expect(again).toEqual(value);
    expect(read(new TorchTensor("float32", [2, 1], "0"), 1, 1)).toEqual(bytes.slice(4));
    expect(joined(torchFilePieces(again, () => [bytes]))).toEqual(written);
    expect(Buffer.from(written).indexOf(bytes) % 64).toBe(0);
  });

  test("may contain tensors that share a storage", () => {
    const { value, read } = open(
      fileOf(pickled(...tensorOf([1], [1], 2, 1)), Uint8Array.of(0, 0, 0, 0, 9, 8, 7, 6)),
    );
    expect(read(value as TorchTensor, 0, 1)).toEqual(Uint8Array.of(9, 8, 7, 6));
  });

  test("may have 64-bit sizes and offsets, like files over 4 GiB", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const files = ["a/data/0", "a/data/1"].map((name) => ({ name, size: 4, pieces: () => [bytes] }));
    const narrow = joined(archivePieces(files));
    const wide = joined(archivePieces(files, { wideFrom: 1 }));
    expect(wide.length).toBeGreaterThan(narrow.length + 3 * 16);
    const read = (offset: number, length: number) => wide.slice(offset, offset + length);
    const entries = readArchive(read, wide.length);
    expect([...entries.keys()]).toEqual(["a/data/0", "a/data/1"]);
    for (const { begin, size } of entries.values()) expect(read(begin, size)).toEqual(bytes);
  });
});

describe("a file that torch did not write is refused", () => {
  test.each<[string, readonly (number | string)[], RegExp]>([
    [
      "a function of the system",
      ["cos\nsystem\n", ...text("true"), 133, 82],
      /asks for a function or class.*os\.system/,
    ],
    ["a builtin", ["c__builtin__\neval\n"], /__builtin__\.eval/],
    ["a class that is built", ["ccollections\nOrderedDict\n", 41, 129], /opcode/],
    ["the state of an object", [125, 125, 98], /opcode.*0x62/],
    ["a callable that is none", [125, 41, 82], /calls something that is not a function/],
    ["a class called with values", ["ccollections\nOrderedDict\n", 125, 133, 82], /does not give it/],
    ["a function as a value", ["ccollections\nOrderedDict\n"], /only values/],
    ["a storage as a value", [...storageOf("0", 2)], /only values/],
    ["a tensor beyond its storage", [...tensorOf([3], [1])], /within their storage/],
    ["a storage beyond the file", [...tensorOf([3], [1], 3)], /12 bytes of its tensor.*got 8/],
    ["a tensor that is transposed", [...tensorOf([1, 2, 1], [1, 3, 1])], /row-major/],
    ["a key that is a list", [125, 93, 75, 1, 115], /keys of text/],
    ["a key twice", [125, 40, 75, 1, 78, 75, 1, 78, 117], /twice/],
    ["no value", [], /takes more/],
    ["two values", [78, 78], /one value/],
    ["a stack that is empty", [134], /takes more/],
    ["a mark that is taken", [40, 78, 134], /takes more/],
    ["a mark that is not there", [116], /mark/],
    ["nothing remembered", [104, 7], /did not remember/],
    ["text that ends early", [88, 255, 255, 255, 255], /end within/],
    ["a list within itself", [93, 113, 0, 104, 0, 97], /16 deep/],
  ])("%s", (_, parts, message) => {
    const error = refusalOf(() => open(fileOf(pickled(...parts))));
    expect([error.code, error.message]).toEqual(["FORMAT", expect.stringMatching(message)]);
  });

  test("lists of lists of the same lists, which would not fit in any memory", () => {
    const list = (inner: number, times: number) => {
      const items = Array.from({ length: times }, () => [104, inner]).flat();
      return [93, 113, inner + 1, 40, ...items, 101];
    };
    const nested = (depth: number, times: number) => {
      const lists = Array.from({ length: depth }, (_, at) => list(at, times)).flat();
      return Uint8Array.from(pickled(40, 93, 113, 0, ...lists, 116));
    };
    expect(refusalOf(() => unpickle(nested(30, 2))).message).toMatch(/16 deep/);
    expect(refusalOf(() => unpickle(nested(5, 200))).message).toMatch(/values, counted/);
  });

  test("a million containers", () => {
    const many = new Uint8Array(2 ** 20 + 8).fill(125);
    many.set([0x80, 2]);
    expect(refusalOf(() => unpickle(many)).code).toBe("TOO_LARGE");
  });

  const changed = (change: (bytes: Uint8Array, view: DataView) => void) => {
    const bytes = fixture.slice();
    change(bytes, new DataView(bytes.buffer));
    return bytes;
  };
  const at = (bytes: Uint8Array, signature: string) =>
    Buffer.from(bytes).lastIndexOf(signature, undefined, "latin1");
  const list = (bytes: Uint8Array) => Buffer.from(bytes).indexOf("PK\x01\x02", 0, "latin1");

  test.each<[string, Uint8Array, RegExp]>([
    ["a text", ascii("lr,step\n0.1,20\n0.1,30\n0.1,40\n"), /must be a zip/],
    ["nothing", new Uint8Array(), /must be a zip/],
    ["half of one", fixture.subarray(0, 2000), /must be a zip/],
    ["bytes behind the end", Uint8Array.of(...fixture, 0), /must be a zip/],
    [
      "a storage with a wrong bit",
      changed((bytes) => {
        const place = Buffer.from(bytes).indexOf("a/data/1") + 128;
        bytes[place] = (bytes[place] as number) ^ 1;
      }),
      /CRC-32/,
    ],
    [
      "a count that is too large",
      changed((bytes, view) => view.setUint16(at(bytes, "PK\x05\x06") + 10, 7, true)),
      /agree/,
    ],
    [
      "a huge count",
      changed((bytes, view) => {
        const end = at(bytes, "PK\x06\x06");
        for (const place of [24, 32]) view.setBigUint64(end + place, 2n ** 40n, true);
        view.setUint16(at(bytes, "PK\x05\x06") + 10, 0xffff, true);
      }),
      /at most/,
    ],
    [
      "a compressed file",
      changed((bytes, view) => view.setUint16(list(bytes) + 10, 8, true)),
      /uncompressed/,
    ],
    ["an encrypted file", changed((bytes, view) => view.setUint16(list(bytes) + 8, 1, true)), /encrypted/],
    ["another name at the place", changed((bytes) => bytes.set(ascii("b"), 30)), /name that the list says/],
    [
      "files that overlap",
      changed((bytes, view) => {
        const sizes = list(bytes);
        for (const place of [20, 24]) view.setUint32(sizes + place, 1400, true);
      }),
      /overlap/,
    ],
    [
      "a file beyond the end",
      changed((bytes, view) => view.setUint32(list(bytes) + 42, 2 ** 31, true)),
      /before the list/,
    ],
  ])("%s", (_, bytes, message) => {
    const error = refusalOf(() => open(bytes));
    expect(error.message).toMatch(message);
    expect(["FORMAT", "TOO_LARGE"]).toContain(error.code);
  });

  test("a program beside the state", () => {
    const file = (name: string) => ({ name, size: 3, pieces: () => [Uint8Array.of(0x80, 2, 46)] });
    const bytes = joined(archivePieces([file("a/data.pkl"), file("a/code/run.py")]));
    expect(refusalOf(() => open(bytes)).message).toMatch(/only the files/);
  });
});
