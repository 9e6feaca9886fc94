import fc from "fast-check";
import { expect, test } from "vitest";
import { findWidths } from "../../src/growth/find/widths.ts";
import { applyPlan } from "../../src/growth/grow/apply.ts";
import { planGrowth } from "../../src/growth/plan/plan.ts";
import { applyShrink } from "../../src/growth/shrink/shrink-apply.ts";
import { planShrink } from "../../src/growth/shrink/shrink-plan.ts";
import { strategies } from "../../src/growth/strategies/index.ts";
import { architectures, modelOf } from "./random-graphs/architecture.ts";
import { Reference } from "./random-graphs/growing.ts";
import { lawRuns } from "./seed.ts";

/** Removes the new units of a width again, in random graphs: the original must come back. */
test("random graphs: what grew can be taken back", { timeout: 600_000 }, async () => {
  const tally = { identical: 0, compared: 0, gone: 0, methods: new Map<string, [number, number]>() };
  await fc.assert(
    fc.asyncProperty(architectures(false), async (architecture) => {
      const drawn = modelOf(architecture);
      const { model } = drawn;
      const reference = await Reference.of(model, architecture.seed % 1000);
      for (const width of findWidths(model).filter((one) => one.growable)) {
        const by = width.multiple;
        const plan = planGrowth(width, { by, strategy: strategies.random, seed: 3 });
        const grown = applyPlan(model, plan, strategies.random);
        const what = `${drawn.pieces.join(" > ")}: ${width.id} (${width.method})`;
        const units = Array.from({ length: by }, (_, unit) => width.size + unit);
        // A cut of an axis may be replaced by another one once it has grown.
        const wide = findWidths(grown).find((one) => one.id === width.id && one.size === width.size + by);
        if (wide === undefined) {
          tally.gone++;
          continue;
        }
        const request =
          width.method === "copies"
            ? { merge: units.map((unit) => [unit - width.size, unit]) }
            : { remove: units };
        try {
          const back = planShrink(grown, wide, request);
          expect(back.exactness).toBe("exact");
          const again = applyShrink(grown, back);
          const told = await reference.compare(again);
          tally.compared++;
          const [all, same] = tally.methods.get(width.method) ?? [0, 0];
          const identical = [...model.graph.parameters].every(([name, tensor]) => {
            const now = again.graph.parameters.get(name);
            return now?.data.every((value, at) => value === tensor.data[at]);
          });
          tally.methods.set(width.method, [all + 1, same + Number(identical)]);
          if (told.identical) tally.identical++;
        } catch (cause) {
          throw new Error(`${what}: ${(cause as Error).message}`, { cause });
        }
      }
    }),
    lawRuns("shrink, random graphs", 60),
  );
  console.log(tally);
});
