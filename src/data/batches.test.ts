import { describe, expect, test } from "vitest";
import { epochOrder, gatherBatch } from "./batches.ts";
import { dataset } from "./dataset.ts";

const data = dataset({
  features: Float32Array.from({ length: 20 }, (_, at) => at),
  count: 10,
  labels: Int32Array.from({ length: 10 }, (_, at) => at % 3),
  targets: Float32Array.from({ length: 30 }, (_, at) => -at),
});

describe("epochOrder", () => {
  test("is a permutation, the same for the same arguments", () => {
    const order = epochOrder(1000, 7, 3);
    expect([...order].sort((a, b) => a - b)).toEqual([...order.keys()]);
    expect(epochOrder(1000, 7, 3)).toEqual(order);
    expect([...order]).not.toEqual([...order.keys()]);
  });

  test("differs between epochs and between seeds", () => {
    const orders = [0, 1, 2].flatMap((seed) => [0, 1, 2].map((epoch) => epochOrder(50, seed, epoch).join()));
    expect(new Set(orders).size).toBe(9);
  });

  test("visits each place with each example about equally often", () => {
    const counts = new Array<number>(4).fill(0);
    for (let epoch = 0; epoch < 4000; epoch++) counts[epochOrder(4, 1, epoch)[0]!]!++;
    // 1000 expected, standard deviation 27.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(140);
  });
});

describe("gatherBatch", () => {
  const order = Uint32Array.from([9, 3, 5, 0, 1, 2, 4, 6, 7, 8]);

  test("copies the rows that the order names", () => {
    const into = { features: new Float32Array(6), labels: new Int32Array(3), targets: new Float32Array(9) };
    gatherBatch(data, order, 1, 3, into);
    expect([...into.features]).toEqual([6, 7, 10, 11, 0, 1]);
    expect([...into.labels]).toEqual([0, 2, 0]);
    expect([...into.targets]).toEqual([-9, -10, -11, -15, -16, -17, -0, -1, -2]);
  });

  test("leaves the rest of a larger buffer alone, for the last batch of an epoch", () => {
    const into = { features: new Float32Array(6).fill(-1), labels: new Int32Array(3).fill(-1) };
    gatherBatch(data, order, 8, 2, into);
    expect([...into.features]).toEqual([14, 15, 16, 17, -1, -1]);
    expect([...into.labels]).toEqual([1, 2, -1]);
  });

  test("refuses to pass the end, a short buffer and parts that are not there", () => {
    const features = new Float32Array(8);
    const bare = dataset({ features: [1, 2], featureDims: [1] });
    expect(() => gatherBatch(data, order, 8, 3, { features })).toThrow(/order/);
    expect(() => gatherBatch(data, order, 0, 5, { features })).toThrow(/room/);
    expect(() => gatherBatch(data, order, 0, 4, { features, labels: new Int32Array(3) })).toThrow(/room/);
    expect(() => gatherBatch(bare, order, 0, 1, { features, labels: new Int32Array(3) })).toThrow(/labels/);
    expect(() => gatherBatch(bare, order, 0, 1, { features, targets: new Float32Array(3) })).toThrow(
      /targets/,
    );
  });
});
