import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Model } from "../../src/graph/model.ts";
import { methods } from "../../src/growth/find/methods.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { keepZero } from "../../src/growth/plan/fills.ts";
import type { Strategy } from "../../src/growth/plan/strategy.ts";
import type { Width } from "../../src/growth/plan/width.ts";
import { strategies } from "../../src/growth/strategies/index.ts";
import { Random } from "../../src/tensor/random.ts";
import { type Architecture, architectures, modelOf } from "./random-graphs/architecture.ts";
import { grown, Reference } from "./random-graphs/growing.ts";
import { obstacles } from "./random-graphs/pieces.ts";
import { Tally } from "./random-graphs/tally.ts";
import { lawRuns } from "./seed.ts";

/**
 * All strategies that promise to keep any function and need no data: `random` in most of the growths, the
 * others in the rest.
 */
const preserving = Object.values<Strategy>(strategies).filter(
  ({ preserves, choose }) => preserves && choose === undefined,
);
const others = preserving.filter((strategy) => strategy !== strategies.random);
/** Those whose sums are exact whenever the model's are: the outgoing weights of new units are zero. */
const exact: readonly Strategy[] = preserving.filter(({ outgoing }) => outgoing === keepZero);

/** Grows every width of a random model alone, then some in sequence, and compares after each. */
async function check(architecture: Architecture, tally: Tally): Promise<void> {
  const drawn = modelOf(architecture);
  const { model } = drawn;
  const draws = new Random(architecture.seed, "growths");
  const pick = <T>(all: readonly T[]) => all[draws.integer(all.length)] as T;
  const seed = draws.integer(1000);
  tally.sawModel(drawn);
  const widths = findWidths(model);
  for (const width of widths) tally.sawWidth(drawn, width);
  const reference = await Reference.of(model, seed);
  expect(reference.finite, `${drawn.pieces.join(" > ")}: finite`).toBe(true);
  if (!reference.live) tally.constant++;

  const compare = async (growths: readonly string[], after: Model) => {
    try {
      const told = await reference.compare(after);
      tally.sawGrowth(growths.length, told);
      if (architecture.exact) expect(told.identical, "bit-identical").toBe(true);
    } catch (cause) {
      const thing = `${drawn.pieces.join(" > ")}: ${growths.join(", then ")}`;
      throw new Error(`${thing}: ${(cause as Error).message}`, { cause });
    }
  };
  const growable = widths.filter((width) => width.growable);
  for (const width of growable) {
    const drawnOne = pick(others);
    const strategy = draws.uniform() < 0.7 ? strategies.random : willing(drawnOne, width, architecture);
    const times = 1 + draws.integer(width.multiple > 1 ? 2 : 3);
    const what = `${width.id} (${width.method}, ${strategy.name}) by ${times} × ${width.multiple}`;
    await compare([what], grown(model, width, times, strategy, seed));
  }
  if (growable.length === 0 || draws.uniform() < 0.5) return;
  let after = model;
  const growths: string[] = [];
  for (let left = 2 + draws.integer(2); left > 0; left--) {
    const now = findWidths(after).filter((width) => width.growable);
    // Widths that could grow before can grow again.
    expect(now.length, growths.join(", then ")).toBeGreaterThan(0);
    const width = pick(now);
    const strategy = willing(pick(preserving), width, architecture);
    growths.push(`${width.id} (${width.method}, ${strategy.name})`);
    after = grown(after, width, 1, strategy, seed + left);
  }
  await compare(growths, after);
}

/** The strategy, or another if it refuses the width or would not be exact. */
function willing(strategy: Strategy, width: Width, architecture: Architecture): Strategy {
  const refused = strategy.refuses?.(width) !== undefined;
  return refused || (architecture.exact && !exact.includes(strategy)) ? strategies.uniform : strategy;
}

describe("random graphs: a width called growable keeps the function", () => {
  test("any numbers", { timeout: 1_800_000 }, async () => {
    const tally = new Tally();
    const property = fc.asyncProperty(architectures(false), (architecture) => check(architecture, tally));
    const runs = lawRuns("random graphs", 800);
    await fc.assert(property, runs);
    console.log(tally.summary());
    if (runs.numRuns < 1600) return;
    expect(tally.constant / tally.models).toBeLessThan(0.05);
    // Nothing else here would catch a rule that refuses axes that it should carry.
    expect(tally.growable / (tally.growable + tally.refused)).toBeGreaterThan(0.48);
    // Every obstacle occurred, and every other pattern and every method grew.
    expect(obstacles.map(({ name }) => name).filter((name) => !tally.drawn.has(name))).toEqual([]);
    const mayRefuse = new Set(obstacles.map(({ name }) => name));
    const never = [...tally.drawn.keys()].filter((name) => !mayRefuse.has(name) && !tally.grown.has(name));
    expect(never, "patterns that no width grew through").toEqual([]);
    expect([...tally.methods.keys()].sort()).toEqual([...new Set(methods.map(({ name }) => name))].sort());
  });

  test("exact arithmetic: the same bits", { timeout: 1_800_000 }, async () => {
    const tally = new Tally();
    const property = fc.asyncProperty(architectures(true), (architecture) => check(architecture, tally));
    await fc.assert(property, lawRuns("random graphs, exact", 300));
    console.log(tally.summary());
    expect(tally.identical).toBe(tally.compared);
  });
});
