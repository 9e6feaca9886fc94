import { describe, expect, test } from "vitest";
import { epochOrder, gatherRows } from "./batches.ts";
import type { ColumnData } from "./columns.ts";

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

describe("gatherRows", () => {
  const order = Uint32Array.from([9, 3, 5, 0, 1, 2, 4, 6, 7, 8]);
  const rows = (data: ColumnData, dims: readonly number[]) => ({ thing: "rows", data, dims });
  const pairs = rows(
    Float32Array.from({ length: 20 }, (_, at) => at),
    [2],
  );

  test("copies the rows in the given order", () => {
    const into = new Float32Array(6);
    gatherRows(pairs, order, 1, 3, into);
    expect([...into]).toEqual([6, 7, 10, 11, 0, 1]);
    const labels = new BigInt64Array(3);
    gatherRows(
      rows(
        BigInt64Array.from({ length: 10 }, (_, at) => BigInt(at)),
        [],
      ),
      order,
      1,
      3,
      labels,
    );
    expect([...labels]).toEqual([3n, 5n, 0n]);
  });

  test("leaves the rest of a larger buffer unchanged, for the last batch of an epoch", () => {
    const into = new Float32Array(6).fill(-1);
    gatherRows(pairs, order, 8, 2, into);
    expect([...into]).toEqual([14, 15, 16, 17, -1, -1]);
  });

  test("puts the examples along a later axis, for models that take the sequence first", () => {
    // Examples of shape [2, 3]: the values of example e are 10·e + 0..5.
    const sequences = rows(
      Int32Array.from({ length: 60 }, (_, at) => 10 * Math.floor(at / 6) + (at % 6)),
      [2, 3],
    );
    const into = new Int32Array(12);
    gatherRows(sequences, order, 0, 2, into, 1);
    expect([...into]).toEqual([90, 91, 92, 30, 31, 32, 93, 94, 95, 33, 34, 35]);
    gatherRows(sequences, order, 0, 2, into, 2);
    expect([...into]).toEqual([90, 30, 91, 31, 92, 32, 93, 33, 94, 34, 95, 35]);
  });

  test("refuses to read past the end, and a short buffer", () => {
    expect(() => gatherRows(pairs, order, 8, 3, new Float32Array(8))).toThrow(/order/);
    expect(() => gatherRows(pairs, order, 0, 5, new Float32Array(8))).toThrow(/room/);
  });
});
