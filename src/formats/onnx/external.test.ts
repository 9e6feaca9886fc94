import { describe, expect, test } from "vitest";
import { fileOf, mlp, type Write, writeFloatValue } from "../../../test/fixtures/onnx-bytes.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { float32 } from "../../tensor/tensor.ts";
import { type DecodeOptions, decodeModel, type ExternalFiles, splitModel } from "./index.ts";

/** One file, "data", of 16 bytes; `reads` records what was read of it. */
function oneFile(reads: number[] = []): ExternalFiles {
  const bytes = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);
  return {
    sizeOf: (name) => {
      if (name !== "data") throw new EspalierError("FORMAT", { thing: name, rule: "must exist" });
      return bytes.length;
    },
    read: (_, offset, length) => {
      reads.push(length);
      return bytes.slice(offset, offset + length);
    },
  };
}

type Entries = Readonly<Record<string, string>>;

/** Initializers w0, w1, ... of `size` float32 elements, each at the place that its entries state. */
const withExternal = (size: number, ...places: Entries[]): Uint8Array =>
  fileOf((writer) => {
    writeFloatValue(writer, 11, "x", [1]);
    writeFloatValue(writer, 12, "x", [1]);
    places.forEach((entries, index) => {
      writer.message(5, () => {
        writer.int(1, size);
        writer.int(2, 1);
        writer.text(8, `w${index}`);
        for (const [key, value] of Object.entries(entries)) {
          writer.message(13, () => {
            writer.text(1, key);
            writer.text(2, value);
          });
        }
        writer.int(14, 1);
      });
    });
  });

const read = (bytes: Uint8Array, options: DecodeOptions = {}) => [
  ...decodeModel(bytes, { externalData: oneFile(), ...options }).graph.parameters.values(),
];

describe("external data", () => {
  test("is read from the stated range, a shared range once", () => {
    const place = { location: "data", offset: "4", length: "8" };
    const reads: number[] = [];
    const tensors = read(withExternal(2, place, place), { externalData: oneFile(reads) });
    expect(tensors).toEqual([float32([2], [2, 3]), float32([2], [2, 3])]);
    expect(reads).toEqual([8]);
    expect(read(withExternal(4, { location: "data" }))).toEqual([float32([4], [1, 2, 3, 4])]);
  });

  test("is refused unless asked for", () => {
    const bytes = withExternal(1, { location: "data" });
    expect(() => decodeModel(bytes)).toThrow(/in the file itself.*externalData/);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["a range beyond the end", withExternal(2, { location: "data", offset: "12" }), /within the 16 bytes/],
    ["a length that is not the shape's", withExternal(2, { location: "data", length: "4" }), /needs 8 bytes/],
    ["a negative offset", withExternal(2, { location: "data", offset: "-4" }), /whole number/],
    ["an offset that is no number", withExternal(2, { location: "data", offset: "0x4" }), /whole number/],
    [
      "far more than the file holds, before it is allocated",
      withExternal(2 ** 30, { location: "data" }),
      /within the 16 bytes/,
    ],
    [
      "overlaps that come to more than the file",
      withExternal(3, { location: "data" }, { location: "data", offset: "4" }),
      /overlaps/,
    ],
    ...["", ".", "..", "../data", "/data", "a/data", "a\\data", "C:data", "data\u0000", "NUL", "con.txt"].map(
      (location): [string, Uint8Array, RegExp] => [
        `the name ${JSON.stringify(location)}`,
        withExternal(1, { location }),
        /plain name/,
      ],
    ),
  ])("%s", (_, bytes, rule) => {
    expect(() => read(bytes)).toThrow(rule);
    expect(() => read(bytes)).toThrow(EspalierError);
  });

  test("has a separate limit", () => {
    const bytes = withExternal(4, { location: "data" });
    expect(() => read(bytes, { maxExternalBytes: 15 })).toThrow(/Raise maxExternalBytes/);
  });

  test("is not for text", () => {
    const write: Write = (writer) =>
      writer.message(5, () => {
        writer.int(2, 8);
        writer.text(8, "w");
        writer.message(13, () => {
          writer.text(1, "location");
          writer.text(2, "data");
        });
        writer.int(14, 1);
      });
    expect(() => read(fileOf(write))).toThrow(/once/);
  });
});

test("a model in two files is read back as it was; small tensors stay inside", () => {
  const model = mlp();
  const large = (length: number) =>
    float32(
      [length],
      Float32Array.from({ length }, (_, index) => index),
    );
  const parameters = new Map([...model.graph.parameters, ["a", large(300)], ["b", large(700)]]);
  const given = { ...model, graph: { ...model.graph, parameters } };
  const split = splitModel(given, "weights.bin");
  const data = Buffer.concat([...split.data]);
  const asked: string[] = [];
  const files: ExternalFiles = {
    sizeOf: () => data.length,
    read: (name, offset, length) => {
      asked.push(`${name} ${offset}`);
      return Uint8Array.from(data.subarray(offset, offset + length));
    },
  };
  expect(decodeModel(Buffer.concat([...split.model]), { externalData: files })).toEqual(given);
  expect(asked).toEqual(["weights.bin 0", "weights.bin 4096"]);
  expect(() => splitModel(given, "../weights.bin")).toThrow(/plain file name/);
});
