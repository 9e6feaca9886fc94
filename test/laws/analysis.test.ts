import fc from "fast-check";
import { expect, test } from "vitest";
import { Analysis } from "../../src/growth/find/analysis.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { growthPatch } from "../../src/growth/grow/apply.ts";
import { planGrowth } from "../../src/growth/plan/plan.ts";
import type { Width } from "../../src/growth/plan/width.ts";
import { random } from "../../src/growth/strategies/random.ts";
import { architectures, modelOf } from "./random-graphs/architecture.ts";
import { lawRuns } from "./seed.ts";

/** Everything about a width, including the results of its functions. */
function said(width: Width | undefined) {
  if (width === undefined) return undefined;
  const written = width.written.map(({ becomes, ...place }) => ({
    ...place,
    becomes: becomes(3 * width.size),
  }));
  return { ...width, written, zeroIncoming: width.zeroIncoming(), copying: width.copying() };
}

test("after every growth, an analysis describes each width like a fresh analysis of the grown model", {
  timeout: 600_000,
}, () => {
  let [growths, moved] = [0, 0];
  const property = fc.property(architectures(false), (architecture) => {
    const { model } = modelOf(architecture);
    const analysis = new Analysis(model);
    for (const { id } of analysis.widths) {
      const width = analysis.find(id);
      if (width?.growable !== true) continue;
      const plan = planGrowth(width, { by: width.multiple, strategy: random, seed: 1 });
      analysis.apply(growthPatch(analysis.flows.graph, plan, random));
      const anew = findWidths(analysis.model);
      for (const one of anew) expect(said(analysis.find(one.id))).toEqual(said(one));
      growths++;
      if (anew.some((one) => one.id !== id && one.growable && one.carried.length > 1)) moved++;
    }
  });
  const runs = lawRuns("analyzes", 50);
  fc.assert(property, runs);
  if (runs.numRuns < 50) return;
  expect(growths).toBeGreaterThan(runs.numRuns);
  expect(moved).toBeGreaterThan(runs.numRuns / 4);
});
