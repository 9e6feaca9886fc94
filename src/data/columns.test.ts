import { describe, expect, it } from "vitest";
import { dataset, subset } from "./dataset.ts";
import { splitDataset } from "./split.ts";

const ids = BigInt64Array.from({ length: 12 }, (_, at) => BigInt(at));

describe("columns of a data set", () => {
  it("are kept without copying, for as many examples as their shape says", () => {
    const data = dataset({ inputs: { ids: { data: ids, dims: [3] } } });
    expect(data.count).toBe(4);
    expect(data.inputs?.ids?.data).toBe(ids);
    expect(data.featureDims).toEqual([0]);
  });

  it("have one value to an example, or one axis, unless their shape is given", () => {
    const age = new Int32Array(4);
    const data = dataset({ count: 4, inputs: { ids: { data: ids }, age: { data: age } } });
    expect(data.inputs?.ids?.dims).toEqual([3]);
    expect(data.inputs?.age?.dims).toEqual([]);
  });

  it("are kept in subsets and splits, and so are labels of every position", () => {
    const labels = Array.from({ length: 12 }, (_, at) => (at % 5 === 0 ? -100 : at % 2));
    const data = dataset({ inputs: { ids: { data: ids, dims: [3] } }, labels, labelDims: [3] });
    const part = subset(data, [2, 0]);
    expect([...(part.inputs?.ids?.data ?? [])]).toEqual([6n, 7n, 8n, 0n, 1n, 2n]);
    expect([...(part.labels ?? [])]).toEqual([0, 1, 0, -100, 1, 0]);
    const { train, test } = splitDataset(data, 0.25, 1);
    expect([train.count, test.count, test.inputs?.ids?.data.length]).toEqual([3, 1, 3]);
  });

  it("must agree on the number of examples, be finite, and have labels of the classes", () => {
    const make = (parts: Parameters<typeof dataset>[0]) => () => dataset(parts);
    const code = (code: string) => expect.objectContaining({ code });
    const column = { data: ids, dims: [3] };
    expect(make({ inputs: { ids: column, x: { data: new Float32Array(5), dims: [1] } } })).toThrow(
      code("SHAPE_MISMATCH"),
    );
    expect(make({ count: 1, inputs: { x: { data: Float32Array.of(1, Number.NaN) } } })).toThrow(
      code("ARGUMENT"),
    );
    expect(make({ inputs: { ids: column }, labels: [1, 2, 3], labelDims: [3] })).toThrow(
      code("SHAPE_MISMATCH"),
    );
    expect(make({ inputs: { ids: column }, labels: new Array(12).fill(-1), labelDims: [3] })).toThrow(
      code("LABEL_RANGE"),
    );
    expect(make({ inputs: { ids: { data: ids } } })).toThrow(code("ARGUMENT"));
    expect(make({ inputs: {} })).toThrow(code("EMPTY_DATA"));
  });
});
