import fc from "fast-check";
import { expect, test } from "vitest";
import { asNumbers, asStored } from "../../src/checkpoints/folder/reals.ts";
import { entryFill } from "../../src/checkpoints/grow/entry-fill.ts";
import { widenedRows } from "../../src/checkpoints/grow/widened-rows.ts";
import type { Layout } from "../../src/graph/layout.ts";
import { layoutSize } from "../../src/graph/layout.ts";
import { makeModel } from "../../src/graph/model.ts";
import { applyPlan } from "../../src/growth/grow/apply.ts";
import type { GrowthPlan } from "../../src/growth/plan/plan.ts";
import type { WidthPart } from "../../src/growth/plan/width.ts";
import { random } from "../../src/growth/strategies/random.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, sizeOf } from "../../src/tensor/tensor.ts";

const layouts: readonly Layout[] = [
  [{ inner: 1 }],
  [{ inner: 3 }],
  [{ inner: 1 }, { inner: 1 }],
  [{ inner: 2 }, { fixed: 3 }, { inner: 1 }],
];

test("a tensor that is streamed is the one that is grown in memory, to the bit", () => {
  const cases = fc.record({
    layout: fc.constantFrom(...layouts),
    axis: fc.constantFrom(0, 1, 2),
    fill: fc.constantFrom<WidthPart["fill"]>("strategy", "zero", "copy", "part", "mean", "draw", "offset"),
    from: fc.integer({ min: 1, max: 4 }),
    times: fc.integer({ min: 2, max: 3 }),
    others: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    piece: fc.integer({ min: 1, max: 5 }),
    seed: fc.nat(1000),
    stored: fc.boolean(),
  });
  fc.assert(
    fc.property(cases, ({ layout, axis, fill, from, times, others, piece, seed, stored }) => {
      const to = from * times;
      const dims = [...others];
      dims.splice(axis, 0, layoutSize(layout, from));
      const draws = new Random(seed, "values");
      const tensor = float32(
        dims,
        Float32Array.from({ length: sizeOf(dims) }, () => draws.normal()),
      );
      const role =
        fill === "part" || fill === "draw" ? "outgoing" : fill === "offset" ? "offset" : "incoming";
      const edit: WidthPart = { parameter: "w", axis, role, layout, fill };
      const plan: GrowthPlan = {
        width: "w",
        from,
        to,
        method: "copies",
        strategy: "random",
        seed,
        edits: [edit],
        numbers: [],
        repairs: [],
        carried: [],
      };
      const graph = { name: "g", inputs: [], outputs: [], nodes: [], parameters: new Map([["w", tensor]]) };
      const expected = applyPlan(makeModel(graph), plan, random).graph.parameters.get("w");
      const length = sizeOf(dims.slice(1));
      // Means are taken of numbers; what is only moved is held as it is stored.
      const holding = stored && fill !== "mean" ? asStored("float32") : asNumbers;
      const source = {
        dims,
        holding,
        rows(first: number, count: number) {
          const values = holding.make(count * length);
          values.set(tensor.data.subarray(first * length, (first + count) * length) as Float32Array);
          return values;
        },
      };
      const entry = entryFill(fill, role, random);
      const rows = widenedRows(source, { edit, from, to, seed, entry, offset: 0 });
      expect(rows.dims).toEqual(expected?.dims);
      const values: number[] = [];
      for (let at = 0; at < (rows.dims[0] as number); at += piece) {
        values.push(...rows.rows(at, Math.min(piece, (rows.dims[0] as number) - at)));
      }
      expect(Float32Array.from(values)).toEqual(expected?.data);
    }),
    { numRuns: 300 },
  );
});
