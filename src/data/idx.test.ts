import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EspalierError } from "../tensor/errors.ts";
import { loadIdx, parseIdx } from "./idx.ts";

/** An IDX file: `write` writes value number `at` into the view at an offset. */
function idx(
  code: number,
  bytesEach: number,
  dims: number[],
  write: (view: DataView, at: number, offset: number) => void,
) {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const start = 4 + 4 * dims.length;
  const bytes = new Uint8Array(start + size * bytesEach);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, code, dims.length]);
  dims.forEach((dim, axis) => {
    view.setUint32(4 + 4 * axis, dim);
  });
  for (let at = 0; at < size; at++) write(view, at, start + at * bytesEach);
  return bytes;
}
const pixels = (dims: number[]) =>
  idx(8, 1, dims, (view, at, offset) => view.setUint8(offset, (at * 85) % 256));
const labels = (...values: number[]) =>
  idx(8, 1, [values.length], (view, at, offset) => view.setUint8(offset, values[at]!));

describe("parseIdx", () => {
  test("reads every type, big-endian", () => {
    const values = [-1.5, 300, 70_000];
    const read = (
      code: number,
      each: number,
      write: (view: DataView, value: number, offset: number) => void,
    ) => {
      const made = parseIdx(idx(code, each, [3, 1], (view, at, offset) => write(view, values[at]!, offset)));
      expect(made.dims).toEqual([3, 1]);
      return [made.dtype, ...made.data];
    };
    expect(read(8, 1, (v, x, o) => v.setUint8(o, x))).toEqual(["uint8", 255, 44, 112]);
    expect(read(9, 1, (v, x, o) => v.setInt8(o, x))).toEqual(["int8", -1, 44, 112]);
    expect(read(11, 2, (v, x, o) => v.setInt16(o, x))).toEqual(["int16", -1, 300, 4464]);
    expect(read(12, 4, (v, x, o) => v.setInt32(o, x))).toEqual(["int32", -1, 300, 70_000]);
    expect(read(13, 4, (v, x, o) => v.setFloat32(o, x))).toEqual(["float32", ...values]);
    expect(read(14, 8, (v, x, o) => v.setFloat64(o, x))).toEqual(["float64", ...values]);
  });

  test("reads from the middle of a larger buffer", () => {
    const inner = idx(12, 4, [2], (view, at, offset) => view.setInt32(offset, at + 1));
    const outer = new Uint8Array(inner.length + 3);
    outer.set(inner, 3);
    expect([...parseIdx(outer.subarray(3)).data]).toEqual([1, 2]);
  });

  test.each([
    ["nothing", []],
    ["a wrong start", [1, 0, 8, 1, 0, 0, 0, 0]],
    ["an unknown type", [0, 0, 10, 1, 0, 0, 0, 0]],
    ["rank 0", [0, 0, 8, 0]],
    ["half a header", [0, 0, 8, 2, 0, 0, 0, 1]],
    ["too few values", [0, 0, 8, 1, 0, 0, 0, 2, 7]],
    ["too many values", [0, 0, 8, 1, 0, 0, 0, 1, 7, 7]],
    ["sizes of 2⁶⁴ bytes", [0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255, 1]],
  ])("refuses %s", (_, bytes) => {
    expect(() => parseIdx(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: "IDX" }));
  });

  test("any bytes give a tensor or an IDX error", () => {
    const start = fc
      .tuple(fc.constantFrom(8, 9, 11, 12, 13, 14), fc.nat(3))
      .map(([code, rank]) => [0, 0, code, rank]);
    const bytes = fc.tuple(start, fc.array(fc.constantFrom(0, 0, 0, 1, 2, 255), { maxLength: 30 }));
    fc.assert(
      fc.property(bytes, ([head, rest]) => {
        try {
          parseIdx(Uint8Array.from([...head, ...rest]));
        } catch (error) {
          expect(error).toMatchObject({ code: "IDX" });
        }
      }),
      { seed: 3 },
    );
  });
});

describe("loadIdx", () => {
  test("pairs images with labels: pixels over 255, one channel", async () => {
    const data = await loadIdx(pixels([2, 2, 3]), labels(4, 1));
    expect(data.featureDims).toEqual([1, 2, 3]);
    expect([...data.features.subarray(0, 4)]).toEqual([0, 1 / 3, 2 / 3, 1].map(Math.fround));
    expect([...data.labels!]).toEqual([4, 1]);
    expect(data.classes).toBe(5);
  });

  test("flattens, takes a number of classes, and unpacks gzip by itself", async () => {
    const stream = new Blob([pixels([2, 2, 3])]).stream().pipeThrough(new CompressionStream("gzip"));
    const packed = await new Response(stream).arrayBuffer();
    const data = await loadIdx(packed, labels(4, 1), { flat: true, classes: 10, name: "tiny" });
    expect(data).toMatchObject({ name: "tiny", count: 2, featureDims: [6], classes: 10 });
  });

  test("keeps channels and other types as they are", async () => {
    const floats = idx(13, 4, [2, 3, 1, 1], (view, at, offset) => view.setFloat32(offset, at * 100));
    const data = await loadIdx(floats, labels(0, 1));
    expect(data.featureDims).toEqual([3, 1, 1]);
    expect(data.features[5]).toBe(500);
  });

  test.each([
    ["a missing label", "SHAPE_MISMATCH", pixels([2, 2, 2]), labels(1)],
    ["no images", "EMPTY_DATA", pixels([0, 2, 2]), labels()],
    ["a label past the classes", "LABEL_RANGE", pixels([1, 2, 2]), labels(12)],
    ["labels and images exchanged", "IDX", labels(1, 2), pixels([2, 2, 2])],
  ])("refuses %s", async (_, code, images, classOf) => {
    await expect(loadIdx(images, classOf, { classes: 10 })).rejects.toMatchObject({ code });
  });

  test("names a missing file", async () => {
    await expect(loadIdx("no/such/images", labels(1))).rejects.toThrow(EspalierError);
    await expect(loadIdx("no/such/images", labels(1))).rejects.toThrow(/no\/such\/images/);
  });
});
