import fc from "fast-check";
import { expect, it } from "vitest";
import { parametersOf, type Simulation, simulate } from "../../../test/fixtures/simulated-run.ts";
import { lawRuns } from "../../../test/laws/seed.ts";
import type { HowMany, RuledPolicy, When, Where } from "./policy.ts";

const start = { a: 4, b: 6 };
const small = fc.integer({ min: 1, max: 12 });
const share = fc.constantFrom(0.05, 0.1, 0.3, 0.7);
const names = fc.constantFrom(["a"], ["b"], ["b", "a"]);

const when: fc.Arbitrary<When> = fc.oneof(
  fc.record({ every: small }),
  fc.uniqueArray(fc.nat(60), { minLength: 1, maxLength: 8 }).map((at) => ({ at })),
  fc
    .record({ window: small, minGain: share, patience: fc.constantFrom(1, 2) })
    .map((plateau) => ({ plateau })),
  fc.record({ every: small, above: share }).map((score) => ({ score })),
  share.map((every) => ({ budget: { every } })),
);

const where: fc.Arbitrary<Where> = fc.oneof(
  fc.constantFrom("a", "b").map((width) => ({ width })),
  fc.oneof(names, fc.constant("all" as const)).map((roundRobin) => ({ roundRobin })),
  fc.oneof(names, fc.constant("all" as const)).map((together) => ({ together })),
  fc.record({ best: fc.constantFrom("flops", "parameters", "units"), among: names }),
);

const howMany: fc.Arbitrary<HowMany> = fc.oneof(
  fc.record({ units: small }),
  fc.record({ fraction: fc.constantFrom(0.1, 0.5, 3) }),
  fc.record({ marginal: fc.record({ share, most: small }) }),
  fc.record({
    targets: fc.record({ a: fc.integer({ min: 5, max: 40 }), b: fc.integer({ min: 7, max: 40 }) }),
    growths: fc.integer({ min: 1, max: 4 }),
  }),
);

const simulation: fc.Arbitrary<Simulation> = fc
  .record({
    when,
    where,
    howMany,
    parameters: fc.integer({ min: parametersOf(start) + 1, max: 600 }),
    widths: fc.record({ a: fc.integer({ min: 5, max: 30 }), b: fc.integer({ min: 7, max: 30 }) }),
    flops: fc.integer({ min: 1000, max: 300_000 }),
    trial: fc.option(
      fc.record({ steps: small, minGain: share, loss: fc.constantFrom("training", "validation") }),
      { nil: undefined },
    ),
    multiple: fc.constantFrom(1, 2),
    seed: fc.nat(1000),
    steps: fc.integer({ min: 1, max: 80 }),
  })
  .map(({ parameters, widths, flops, trial, multiple, seed, steps, ...rules }): Simulation => {
    const policy: RuledPolicy = {
      ...rules,
      stop: { parameters, widths },
      budget: { flops },
      ...(trial === undefined ? {} : { trial }),
    };
    const noise = (a: number, b: number) => Math.abs(Math.sin(seed + 12.9898 * a + 78.233 * b));
    return {
      policy,
      steps,
      sizes: start,
      multiples: { b: multiple },
      loss: (step, { a = 0, b = 0 }) => noise(step, a * b) + 1 / (a + b + step),
      gains: (width, step) => [1, 0.6, 0.5, 0.1].map((gain) => gain * noise(step, width.length)),
      scoringFlops: 40,
    };
  });

it("no stop and no budget is ever exceeded, and every run ends", () => {
  const seen = { grown: 0, undone: 0, cut: 0, over: 0 };
  fc.assert(
    fc.property(simulation, (given) => {
      const { most, flops, decisions, step, sizes, state } = simulate(given);
      const { stop, budget, howMany } = given.policy as RuledPolicy;
      expect(most.parameters).toBeLessThanOrEqual(stop?.parameters as number);
      for (const [id, limit] of Object.entries(stop?.widths ?? {}))
        expect(most.sizes[id]).toBeLessThanOrEqual(limit);
      if ("targets" in howMany)
        for (const [id, target] of Object.entries(howMany.targets))
          expect(most.sizes[id]).toBeLessThanOrEqual(target);
      expect(flops).toBeLessThanOrEqual(budget?.flops as number);
      expect(step === given.steps || state.over !== undefined).toBe(true);
      // The sizes follow from the decisions, except undone ones.
      const grown = { ...start } as Record<string, number>;
      for (const { action, growths } of decisions) {
        const sign = action === "grow" ? 1 : action === "undo" ? -1 : 0;
        for (const { width, by } of growths) grown[width] = (grown[width] ?? 0) + sign * by;
      }
      expect(sizes).toEqual(grown);
      seen.grown += Number(decisions.some(({ action }) => action === "grow"));
      seen.undone += Number(decisions.some(({ action }) => action === "undo"));
      seen.cut += Number(decisions.some(({ why }) => why.includes("cut from")));
      seen.over += Number(state.over !== undefined);
    }),
    lawRuns("budgets", 400),
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
});
