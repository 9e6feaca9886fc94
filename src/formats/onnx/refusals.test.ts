import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  dims,
  failure,
  fileOf,
  mlp,
  withAttribute,
  withInput,
  withShape,
  withTensor,
} from "../../../test/fixtures/onnx-bytes.ts";
import type { ErrorCode } from "../../tensor/errors.ts";
import { encodeModel } from "./encode.ts";

describe("an ONNX file is refused for being", () => {
  const good = encodeModel(mlp());
  test.each<[string, Uint8Array, ErrorCode, RegExp]>([
    ["empty", new Uint8Array(), "FORMAT", /no bytes/],
    ["text", Buffer.from("# a text\nthat is no model\n"), "FORMAT", /offset/],
    ["a PNG", Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"), "FORMAT", /PNG/],
    ["packed", gzipSync(good), "FORMAT", /gzip/],
    ["PyTorch's own format", Buffer.from("504b030400000808", "hex"), "FORMAT", /zip/],
    ["a protobuf without a graph", Uint8Array.from([8, 9]), "FORMAT", /no graph/],
    ["of an IR version that nobody knows", fileOf(() => {}, undefined, 99), "FORMAT", /from 3 to 14/],
    [
      "two graphs",
      fileOf(
        () => {},
        (writer) => writer.message(7, () => {}),
      ),
      "FORMAT",
      /one graph/,
    ],
    [
      "with a function without a name",
      fileOf(
        () => {},
        (writer) => writer.message(25, () => {}),
      ),
      "INVALID_MODEL",
      /name/,
    ],
    [
      "with an opset given twice",
      fileOf(
        () => {},
        (writer) =>
          writer.message(8, () => {
            writer.text(1, "ai.onnx");
            writer.int(2, 1);
          }),
      ),
      "INVALID_MODEL",
      /twice/,
    ],
    [
      "with a sparse initializer",
      fileOf((writer) => writer.message(15, () => {})),
      "UNSUPPORTED_TYPE",
      /dense/,
    ],
    [
      "with an initializer twice",
      fileOf((writer) => {
        for (const _ of [1, 2])
          writer.message(5, () => {
            writer.text(8, "w");
            writer.int(2, 1);
            writer.float(4, 1);
          });
      }),
      "INVALID_MODEL",
      /"w".*twice/,
    ],
    [
      "with a node without an operator",
      fileOf((writer) => writer.message(1, () => {})),
      "INVALID_MODEL",
      /operator/,
    ],
  ])("%s", (_, bytes, code, text) => {
    const error = failure(bytes);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(text);
  });

  test("cut off anywhere", () => {
    for (let length = 0; length < good.length; length++) {
      expect(["FORMAT", "INVALID_MODEL"]).toContain(failure(good.subarray(0, length)).code);
    }
  });
});

describe("a tensor is refused for", () => {
  test.each<[string, Uint8Array, ErrorCode, RegExp]>([
    [
      "too few bytes",
      withTensor((writer) => {
        dims(writer, 2);
        writer.int(2, 1);
        writer.bytes(9, new Uint8Array(4));
      }),
      "FORMAT",
      /"w".*needs 8 bytes, got 4/,
    ],
    [
      "too few elements",
      withTensor((writer) => {
        dims(writer, 2);
        writer.int(2, 1);
        writer.float(4, 1);
      }),
      "FORMAT",
      /needs 2 elements, got 1/,
    ],
    [
      "no elements",
      withTensor((writer) => {
        dims(writer, 2);
        writer.int(2, 1);
      }),
      "FORMAT",
      /needs 2 elements, got 0/,
    ],
    [
      "a size that promises far more than is there",
      withTensor((writer) => {
        dims(writer, 2 ** 30);
        writer.int(2, 1);
      }),
      "FORMAT",
      /needs 1073741824 elements/,
    ],
    [
      "elements both raw and listed",
      withTensor((writer) => {
        dims(writer, 1);
        writer.int(2, 1);
        writer.float(4, 1);
        writer.bytes(9, new Uint8Array(4));
      }),
      "FORMAT",
      /once/,
    ],
    [
      "elements in the list of another type",
      withTensor((writer) => {
        dims(writer, 1);
        writer.int(2, 1);
        writer.int(7, 1);
      }),
      "FORMAT",
      /once/,
    ],
    [
      "an int8 of 200",
      withTensor((writer) => {
        dims(writer, 1);
        writer.int(2, 3);
        writer.int(5, 200);
      }),
      "FORMAT",
      /fit int8/,
    ],
    [
      "a bool of 2",
      withTensor((writer) => {
        dims(writer, 1);
        writer.int(2, 9);
        writer.bytes(9, Uint8Array.of(2));
      }),
      "FORMAT",
      /0 or 1/,
    ],
    [
      "a negative size",
      withTensor((writer) => {
        dims(writer, -1);
        writer.int(2, 1);
      }),
      "FORMAT",
      /sizes/,
    ],
    [
      "sizes that overflow",
      withTensor((writer) => {
        dims(writer, 2 ** 40, 2 ** 40);
        writer.int(2, 1);
      }),
      "TOO_LARGE",
      /maxElements/,
    ],
    [
      "too many axes",
      withTensor((writer) => {
        dims(writer, ...Array<number>(17).fill(1));
        writer.int(2, 1);
      }),
      "TOO_LARGE",
      /maxDims/,
    ],
    ["no type", withTensor((writer) => dims(writer, 0)), "UNSUPPORTED_TYPE", /undefined/],
    ["type complex64", withTensor((writer) => writer.int(2, 14)), "UNSUPPORTED_TYPE", /"w".*complex64/],
    ["type int4", withTensor((writer) => writer.int(2, 22)), "UNSUPPORTED_TYPE", /int4/],
    [
      "text as raw bytes",
      withTensor((writer) => {
        dims(writer, 1);
        writer.int(2, 8);
        writer.bytes(9, new Uint8Array(4));
      }),
      "FORMAT",
      /string elements once/,
    ],
    [
      "text that is not UTF-8",
      withTensor((writer) => {
        dims(writer, 1);
        writer.int(2, 8);
        writer.bytes(6, Uint8Array.of(0xff));
      }),
      "FORMAT",
      /UTF-8/,
    ],
    [
      "sizes that overflow next to a zero",
      withTensor((writer) => {
        dims(writer, 2 ** 40, 0, 2 ** 40);
        writer.int(2, 1);
      }),
      "TOO_LARGE",
      /maxElements/,
    ],
    [
      "data in another file",
      withTensor((writer) => {
        dims(writer, 1);
        writer.int(2, 1);
        writer.message(13, () => writer.text(1, "location"));
        writer.int(14, 1);
      }),
      "FORMAT",
      /in the file itself/,
    ],
    [
      "segments",
      withTensor((writer) => {
        writer.int(2, 1);
        writer.message(3, () => {});
      }),
      "FORMAT",
      /segments/,
    ],
  ])("%s", (_, bytes, code, text) => {
    const error = failure(bytes);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(text);
  });
});

describe("an attribute or value is refused for", () => {
  test.each<[string, Uint8Array, ErrorCode, RegExp]>([
    [
      "a kind that a model cannot hold",
      withAttribute((writer) => writer.int(20, 10)),
      "UNSUPPORTED_TYPE",
      /attribute a of node "n".*graphs/,
    ],
    ["no kind", withAttribute((writer) => writer.int(3, 1)), "UNSUPPORTED_TYPE", /attribute a of node "n"/],
    ["no tensor", withAttribute((writer) => writer.int(20, 4)), "INVALID_MODEL", /tensor/],
    [
      "an integer that is not exact",
      withAttribute((writer) => {
        writer.int(3, 2 ** 60);
        writer.int(20, 2);
      }),
      "UNSUPPORTED_TYPE",
      /exact/,
    ],
    [
      "being a sequence",
      withInput((writer) => writer.message(4, () => {})),
      "UNSUPPORTED_TYPE",
      /"x".*sequence/,
    ],
    [
      "having an output that is a sequence, before its weights are read",
      fileOf((writer) => {
        // There is no type 99: the reader of this weight rejects it.
        writer.message(5, () => writer.int(2, 99));
        writer.message(12, () => {
          writer.text(1, "boxes");
          writer.message(2, () => writer.message(4, () => {}));
        });
      }),
      "UNSUPPORTED_TYPE",
      /"boxes".*sequence/,
    ],
    [
      "no shape",
      withInput((writer) => writer.message(1, () => writer.int(1, 1))),
      "INVALID_MODEL",
      /infer_shapes/,
    ],
    ["a negative size", withShape(-2), "INVALID_MODEL", /sizes/],
    ["sizes that overflow", withShape("batch", 2 ** 40, 2 ** 40, 0), "TOO_LARGE", /maxElements/],
    [
      "a reference to a call's attribute outside of a function",
      withAttribute((writer) => writer.text(21, "alpha")),
      "INVALID_MODEL",
      /only in a function.*alpha/,
    ],
    ["too many axes", withShape(...Array<number>(17).fill(1)), "TOO_LARGE", /maxDims/],
  ])("%s", (_, bytes, code, text) => {
    const error = failure(bytes);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(text);
  });
});
