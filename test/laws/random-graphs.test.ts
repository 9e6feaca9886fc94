import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { strategies } from "../../src/growth/strategies/index.ts";
import { findWidths } from "../../src/growth/widths.ts";
import { Random } from "../../src/tensor/random.ts";
import { type Architecture, architectures, modelOf } from "./random-graphs/architecture.ts";
import { growableOf, grown, Reference } from "./random-graphs/growing.ts";
import { Tally } from "./random-graphs/tally.ts";
import { lawRuns } from "./seed.ts";

const others = [strategies.zeros, strategies.constant];

/** Grows every width of a random model alone, then some in sequence, and compares after each. */
async function check(architecture: Architecture, tally: Tally): Promise<void> {
  const drawn = modelOf(architecture);
  const { model } = drawn;
  const draws = new Random(architecture.seed, "growths");
  const seed = draws.integer(1000);
  tally.sawModel(drawn);
  const widths = findWidths(model);
  for (const width of widths) tally.sawWidth(drawn, width);
  const growable = widths.filter((width) => width.growable);
  const reference = await Reference.of(model, seed);
  expect(reference.finite, `${drawn.pieces.join(" > ")}: finite`).toBe(true);
  if (!reference.live) tally.dead++;
  const compare = async (after: typeof model, what: string) => {
    try {
      const told = await reference.compare(after);
      tally.sawGrowth(told);
      if (architecture.exact) expect(told.identical, "bit-identical").toBe(true);
    } catch (error) {
      throw new Error(`${drawn.pieces.join(" > ")}: ${what}: ${(error as Error).message}`, { cause: error });
    }
  };
  for (const width of growable) {
    const strategy =
      draws.uniform() < 0.7 ? strategies.random : (others[draws.integer(others.length)] ?? strategies.random);
    const times = 1 + draws.integer(width.multiple > 1 ? 2 : 3);
    await compare(
      grown(model, width, times, strategy, seed),
      `${width.id} ×${times} ${width.method} ${strategy.name}`,
    );
  }
  if (growable.length === 0 || draws.uniform() < 0.5) return;
  let after = model;
  const ids: string[] = [];
  for (let step = 2 + draws.integer(2); step > 0; step--) {
    const now = growableOf(after);
    const width = now[draws.integer(now.length)];
    if (width === undefined) break;
    ids.push(`${width.id} ${width.method}`);
    after = grown(after, width, 1, strategies.random, seed + step);
  }
  await compare(after, `in sequence: ${ids.join(", ")}`);
}

describe("random graphs", () => {
  for (const [exact, runs] of [
    [false, 600],
    [true, 200],
  ] as const) {
    test(`${exact ? "exact arithmetic" : "any numbers"}`, { timeout: 600_000 }, async () => {
      const tally = new Tally();
      await fc.assert(
        fc.asyncProperty(architectures(exact), (architecture) => check(architecture, tally)),
        lawRuns("random graphs", runs),
      );
      console.log(tally.summary());
    });
  }
});
