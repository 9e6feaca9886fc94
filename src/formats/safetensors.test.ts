import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { numericTensor } from "../../test/fixtures/arbitrary-tensor.ts";
import { type ErrorCode, EspalierError } from "../tensor/errors.ts";
import { float32, int64, type Tensor } from "../tensor/tensor.ts";
import type { Limits } from "./limits.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";

/** A file with this header, written as it is, and `dataBytes` zero bytes. */
function fileOf(header: string, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

function codeOf(bytes: Uint8Array, limits: Partial<Limits> = {}): ErrorCode | "read" {
  try {
    decodeSafetensors(bytes, limits);
    return "read";
  } catch (error) {
    if (error instanceof EspalierError) return error.code;
    throw error;
  }
}

const f32 = (begin: number, end: number, shape = `[${(end - begin) / 4}]`) =>
  `{"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]}`;

const anyName = fc.oneof(
  fc.string(),
  fc.constantFrom("__proto__", "constructor", "7", "", 'a"b\\', "ü", "\u0000"),
);

describe("a safetensors file", () => {
  test("gives back what was written, in order, whatever the names, types and shapes", () => {
    const tensors = fc
      .array(fc.tuple(anyName, numericTensor), { maxLength: 6 })
      .map((pairs) => new Map(pairs));
    const metadata = fc
      .array(fc.tuple(anyName, fc.string()), { maxLength: 3 })
      .map((pairs) => new Map(pairs));
    fc.assert(
      fc.property(tensors, metadata, (given, text) => {
        const bytes = encodeSafetensors(given, text);
        const read = decodeSafetensors(bytes);
        expect([...read.tensors]).toEqual([...given]);
        expect([...read.metadata]).toEqual([...text]);
        expect(encodeSafetensors(read.tensors, read.metadata)).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test("is byte for byte what the format says", () => {
    const bytes = encodeSafetensors(new Map([["w", float32([1], [1])]]), new Map([["k", "v"]]));
    const header = '{"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8, " ");
    expect(new TextDecoder().decode(bytes.subarray(8, -4))).toBe(padded);
    expect([...bytes.subarray(0, 8)]).toEqual([padded.length, 0, 0, 0, 0, 0, 0, 0]);
    expect([...bytes.subarray(-4)]).toEqual([0, 0, 0x80, 0x3f]);
  });

  test("is read without a copy, and with one where the bytes are misaligned", () => {
    const given = new Map<string, Tensor>([
      ["a", float32([3], [1, 2, 3])],
      ["b", int64([2], [4, 5])],
    ]);
    const bytes = encodeSafetensors(given);
    expect(decodeSafetensors(bytes).tensors.get("a")?.data.buffer).toBe(bytes.buffer);
    const shifted = Buffer.alloc(bytes.length + 1).subarray(1);
    shifted.set(bytes);
    expect([...decodeSafetensors(shifted).tensors]).toEqual([...given]);
  });

  test.each<[string, Uint8Array, ErrorCode, RegExp]>([
    ["no bytes", new Uint8Array(), "FORMAT", /begin with the length/],
    ["text", new TextEncoder().encode("name,value\n1,2\n3,4\n"), "FORMAT", /brace/],
    [
      "a header longer than the file",
      fileOf(`{"w":${f32(0, 4)}}`, 4).subarray(0, 30),
      "FORMAT",
      /bytes of its header/,
    ],
    ["missing data", fileOf(`{"w":${f32(0, 4)}}`, 3), "FORMAT", /exactly 4 bytes/],
    ["data after the last tensor", fileOf(`{"w":${f32(0, 4)}}`, 5), "FORMAT", /exactly 4 bytes/],
    ["a hole", fileOf(`{"a":${f32(0, 4)},"b":${f32(8, 12)}}`, 12), "FORMAT", /begin at offset 4/],
    ["a hole at the start", fileOf(`{"a":${f32(4, 8)}}`, 8), "FORMAT", /begin at offset 0/],
    ["an overlap", fileOf(`{"a":${f32(0, 8)},"b":${f32(4, 12)}}`, 12), "FORMAT", /begin at offset 8/],
    ["offsets the wrong way round", fileOf(`{"a":${f32(4, 0, "[1]")}}`, 0), "FORMAT", /begin at offset 0/],
    [
      "a shape that does not fill its range",
      fileOf(`{"a":${f32(0, 4, "[2]")}}`, 4),
      "FORMAT",
      /needs 8 bytes/,
    ],
    ["a negative size", fileOf(`{"a":${f32(0, 4, "[-1]")}}`, 4), "FORMAT", /whole number/],
    ["a fractional size", fileOf(`{"a":${f32(0, 4, "[1.0]")}}`, 4), "FORMAT", /whole number/],
    ["a size beyond 2^53", fileOf(`{"a":${f32(0, 4, "[9007199254740993]")}}`, 4), "FORMAT", /2\^53/],
    [
      "sizes whose product is not finite",
      fileOf(`{"a":${f32(0, 4, `[${Array(16).fill(2 ** 52)}]`)}}`, 4),
      "TOO_LARGE",
      /maxElements/,
    ],
    ["too many axes", fileOf(`{"a":${f32(0, 4, `[${Array(17).fill(1)}]`)}}`, 4), "TOO_LARGE", /maxDims/],
    [
      "an unknown type",
      fileOf('{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}', 4),
      "UNSUPPORTED_TYPE",
      /F8_E4M3/,
    ],
    [
      "a type that names a method",
      fileOf('{"a":{"dtype":"toString","shape":[],"data_offsets":[0,4]}}', 4),
      "UNSUPPORTED_TYPE",
      /toString/,
    ],
    ["a missing field", fileOf('{"a":{"dtype":"F32","shape":[1]}}', 4), "FORMAT", /data_offsets must be/],
    [
      "another field",
      fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}', 4),
      "FORMAT",
      /may have/,
    ],
    [
      "three offsets",
      fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}', 4),
      "FORMAT",
      /two whole/,
    ],
    ["a name given twice", fileOf(`{"a":${f32(0, 4)},"a":${f32(0, 4)}}`, 4), "FORMAT", /twice/],
    [
      "a name given twice, once escaped",
      fileOf(`{"a":${f32(0, 4)},"\\u0061":${f32(4, 8)}}`, 8),
      "FORMAT",
      /twice/,
    ],
    ["half a surrogate pair", fileOf(`{"\\ud800":${f32(0, 4)}}`, 4), "FORMAT", /well-formed/],
    [
      "a comma too many",
      fileOf(`{"a":${f32(0, 4)},}`, 4),
      "FORMAT",
      /must be a well-formed string|must be a string/,
    ],
    ["an open string", fileOf('{"a\\', 0), "FORMAT", /string/],
    ["text after the header", fileOf("{} x"), "FORMAT", /nothing may follow/],
    ["space before the header", fileOf(" {}"), "FORMAT", /brace/],
    ["metadata that is not text", fileOf('{"__metadata__":{"a":1}}'), "FORMAT", /map text/],
    ["a tensor that is not an object", fileOf('{"a":[]}'), "FORMAT", /described by/],
    ["nesting without end", fileOf(`{"a":${"[".repeat(1_000_000)}`), "FORMAT", /nested/],
    ["a string without end", fileOf(`{"${"\\n".repeat(3_000_000)}`), "FORMAT", /string/],
    [
      "bytes that are not UTF-8",
      fileOf("{}").map((byte, index) => (index === 9 ? 0xff : byte)),
      "FORMAT",
      /UTF-8/,
    ],
    [
      "a bool of 2",
      fileOf('{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}', 1).map((byte, index, all) =>
        index === all.length - 1 ? 2 : byte,
      ),
      "FORMAT",
      /0 or 1/,
    ],
  ])("is refused for %s", (_, bytes, code, rule) => {
    expect(codeOf(bytes)).toBe(code);
    expect(() => decodeSafetensors(bytes)).toThrow(rule);
  });

  test("with an absurdly long header is refused before anything is allocated", () => {
    const bytes = fileOf("{}");
    new DataView(bytes.buffer).setBigUint64(0, 2n ** 63n, true);
    expect(codeOf(bytes)).toBe("TOO_LARGE");
  });

  test("over a limit is refused, naming the option that raises it", () => {
    const bytes = encodeSafetensors(new Map([["w", float32([1, 2], [1, 2])]]));
    const names = ["maxBytes", "maxDims", "maxElements", "maxItems", "maxHeaderBytes"] as const;
    for (const name of names) {
      expect(() => decodeSafetensors(bytes, { [name]: 0 })).toThrow(`Raise ${name}`);
    }
  });

  test("treats keys that could reach prototypes as plain names", () => {
    const { tensors, metadata } = decodeSafetensors(
      fileOf(`{"__metadata__":{"__proto__":"x"},"__proto__":${f32(0, 4)}}`, 4),
    );
    expect([...tensors.keys()]).toEqual(["__proto__"]);
    expect(metadata.get("__proto__")).toBe("x");
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test("cannot be written with a name that cannot be read back", () => {
    const tensor = float32([], [1]);
    expect(() => encodeSafetensors(new Map([["__metadata__", tensor]]))).toThrow("reserved");
    expect(() => encodeSafetensors(new Map([["\ud800", tensor]]))).toThrow("well-formed");
  });

  test("with bytes changed is read or refused, nothing worse", () => {
    const bytes = encodeSafetensors(
      new Map<string, Tensor>([
        ["weight", float32([2, 3], [1, 2, 3, 4, 5, 6])],
        ["count", int64([], [7])],
      ]),
      new Map([["format", "pt"]]),
    );
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(bytes.length), (changes, end) => {
        const mutated = bytes.slice(0, end % 2 === 0 ? bytes.length : end);
        for (const [at, byte] of changes) if (at < mutated.length) mutated[at] = byte;
        codeOf(mutated);
      }),
      { numRuns: 3000 },
    );
  });
});
