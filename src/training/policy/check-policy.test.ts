import { describe, expect, it } from "vitest";
import { findWidths } from "../../growth/find/widths.ts";
import { mlp } from "../../nn/mlp.ts";
import { allowedWidths, checkPolicy, type PolicyFacts } from "./check-policy.ts";
import type { GrowthPolicy, RuledPolicy } from "./policy.ts";
import { readPolicy } from "./read-policy.ts";

const every100: RuledPolicy = { when: { every: 100 }, howMany: { units: 4 } };

const whole: readonly GrowthPolicy[] = [
  every100,
  { events: [] },
  {
    events: [
      { width: "hidden1", by: 2, at: 0 },
      { width: "hidden2", by: 1, every: 5, until: 20 },
    ],
    strategy: "zeros",
  },
  { ...every100, when: { at: [0, 50, 120] }, where: { width: "hidden2" } },
  {
    when: { plateau: { window: 40, minGain: 0.01, patience: 2, atLeast: 100 } },
    where: { roundRobin: ["hidden2", "hidden1"] },
    howMany: { fraction: 0.5 },
    stop: {
      parameters: 5000,
      widths: { hidden1: 64 },
      growths: 4,
      steps: 900,
      noGain: { growths: 2, minGain: 0.01 },
    },
    budget: { flops: 1e9, seconds: 60 },
    trial: { steps: 50, minGain: 0, loss: "validation" },
    smoothing: 30,
    strategy: "random",
    score: "candidates",
  },
  { ...every100, when: { score: { every: 100, above: 1e-3 } }, where: { best: "flops", among: ["hidden1"] } },
  {
    ...every100,
    when: { budget: { every: 0.2 } },
    budget: { flops: 1e8 },
    howMany: { marginal: { share: 0.3, most: 8 } },
  },
  { ...every100, where: { together: "all" }, howMany: { targets: { hidden1: 32, hidden2: 16 }, growths: 3 } },
];

describe("a policy", () => {
  it.each(whole)("is read from JSON as it is: %j", (policy) => {
    expect(readPolicy(JSON.parse(JSON.stringify(policy)))).toEqual(policy);
    expect(() => checkPolicy(policy, facts())).not.toThrow();
  });

  it.each<[unknown, RegExp]>([
    [null, /^growth policy: must have one of events, when/],
    [[], /^growth policy: must have one of events, when/],
    [{}, /^growth policy: must have one of events, when/],
    [{ ...every100, events: [] }, /and no second/],
    [{ when: { every: 100 } }, /howMany: must be given/],
    [{ ...every100, until: 3 }, /policy, until: is not known; there may be when, where/],
    [{ ...every100, when: { every: 0 } }, /when.every: must be a whole number of at least 1, got 0/],
    [{ ...every100, when: { every: 5, at: [3] } }, /when: must have one of every, at, .* and no second/],
    [{ ...every100, when: { every: 5, to: 9 } }, /when.to: is not known; there may be every, from/],
    [{ ...every100, when: { at: [] } }, /when.at: must be a list/],
    [{ ...every100, when: { at: [3, 3] } }, /when.at: must not name anything twice, got 3/],
    [{ ...every100, when: { plateau: { window: 5 } } }, /when.plateau.minGain: must be given/],
    [
      { ...every100, when: { plateau: { window: 5, minGain: 1 } } },
      /minGain: must be a relative decrease below 1/,
    ],
    [
      { ...every100, when: { score: { every: 5, above: Number.NaN } } },
      /above: must be a number of at least 0/,
    ],
    [{ ...every100, when: { budget: { every: 1 } } }, /must be a fraction between 0 and 1, got 1/],
    [{ ...every100, where: "hidden1" }, /where: must have one of width, roundRobin, together, best/],
    [{ ...every100, where: { roundRobin: "some" } }, /where.roundRobin: must be a list/],
    [
      { ...every100, where: { best: "seconds" } },
      /where.best: must be one of flops, parameters, units, got "seconds"/,
    ],
    [{ ...every100, where: { best: "flops", among: [""] } }, /where.among\[0\]: must be a name/],
    [{ ...every100, howMany: { units: 2.5 } }, /howMany.units: must be a whole number/],
    [{ ...every100, howMany: { fraction: -1 } }, /howMany.fraction: must be a positive number/],
    [
      { ...every100, howMany: { marginal: { share: 2, most: 3 } } },
      /share: must be a fraction above 0 and at most 1/,
    ],
    [{ ...every100, howMany: { targets: {}, growths: 1 } }, /howMany.targets: must give sizes by width/],
    [
      { ...every100, howMany: { targets: { a: 0 }, growths: 1 } },
      /howMany.targets.a: must be a whole number/,
    ],
    [
      { ...every100, stop: { parameters: "many" } },
      /stop.parameters: must be a whole number of at least 1, got "many"/,
    ],
    [{ ...every100, stop: { flops: 5 } }, /stop.flops: is not known/],
    [{ ...every100, budget: { seconds: 0 } }, /budget.seconds: must be a positive number/],
    [
      { ...every100, trial: { steps: 5, minGain: 0.1, loss: "test" } },
      /trial.loss: must be one of training, validation/,
    ],
    [{ events: [{ width: "a", by: 1 }] }, /events\[0\]: must have one of at, every/],
    [{ events: [{ width: "a", by: 0, at: 3 }] }, /events\[0\].by: must be a whole number/],
  ])("is refused where it is none: %j", (value, message) => {
    expect(() => readPolicy(value)).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
    expect(() => readPolicy(value)).toThrow(message);
  });
});

/** 4-8-6-3: 32 + 8 + 48 + 6 + 18 + 3 = 115 parameters. */
const widths = findWidths(mlp([4, 8, 6, 3]));
const facts = (given: Partial<PolicyFacts> = {}): PolicyFacts => ({
  widths,
  parameters: 115,
  stepFlops: 1e4,
  step: 0,
  steps: 1000,
  validation: true,
  ...given,
});

describe("a policy checked against a run", () => {
  it.each<[Partial<RuledPolicy>, string, RegExp]>([
    [{ where: { width: "hidden7" } }, "UNKNOWN_WIDTH", /hidden1 \(8\), hidden2 \(6\)/],
    [{ where: { together: ["hidden1", "output"] } }, "NOT_GROWABLE", /Widen another: hidden1, hidden2/],
    [{ where: { best: "flops", among: ["output"] } }, "NOT_GROWABLE", /output/],
    [{ stop: { widths: { hidden9: 40 } } }, "UNKNOWN_WIDTH", /hidden9/],
    [{ howMany: { targets: { output: 40 }, growths: 2 } }, "NOT_GROWABLE", /output/],
    [{ score: "magic" }, "ARGUMENT", /score: must be one of .*, got "magic"/],
    [{ strategy: "magic" }, "ARGUMENT", /strategy: must be one of .*, got "magic"/],
    [
      { stop: { parameters: 115 } },
      "ARGUMENT",
      /stop.parameters: must leave room above the 115 there are, got 115/,
    ],
    [{ stop: { widths: { hidden1: 8 } } }, "ARGUMENT", /stop.widths.hidden1: must be more than the 8 units/],
    [
      { howMany: { targets: { hidden1: 4 }, growths: 2 } },
      "ARGUMENT",
      /targets.hidden1: must be more than the 8 units/,
    ],
    [
      { howMany: { targets: { hidden1: 40 }, growths: 2 }, stop: { widths: { hidden1: 20 } } },
      "ARGUMENT",
      /targets.hidden1: must not exceed stop.widths.hidden1, which is 20, got 40/,
    ],
    [
      { howMany: { targets: { hidden1: 40 }, growths: 2 }, where: { together: ["hidden1", "hidden2"] } },
      "ARGUMENT",
      /must say what hidden2 of `where` grows to/,
    ],
    [{ budget: { flops: 1e4 } }, "ARGUMENT", /budget.flops: must be more than the 10000 FLOPs of one update/],
    [{ when: { budget: { every: 0.2 } } }, "ARGUMENT", /when.budget: needs the budget .* Add budget.flops/],
    [{ when: { every: 1000 } }, "ARGUMENT", /first moment before growing ends, after 999 updates/],
    [
      { when: { every: 300 }, stop: { steps: 200 } },
      "ARGUMENT",
      /after 200 updates, got "a first moment after 300"/,
    ],
    [{ when: { at: [600, 500] }, stop: { steps: 499 } }, "ARGUMENT", /a first moment after 500/],
    [
      { when: { plateau: { window: 300, minGain: 0, patience: 3 } } },
      "ARGUMENT",
      /a first moment after 1200/,
    ],
  ])("%j is refused", (change, code, message) => {
    const check = () => checkPolicy({ ...every100, ...change }, facts());
    expect(check).toThrow(expect.objectContaining({ code }));
    expect(check).toThrow(message);
  });

  it("needs validation data to judge by, and a width that can grow", () => {
    const judged: RuledPolicy = { ...every100, trial: { steps: 9, minGain: 0, loss: "validation" } };
    expect(() => checkPolicy(judged, facts({ validation: false }))).toThrow(
      /trial.loss: needs validation data/,
    );
    const none = widths.map((width) => ({ ...width, growable: false, reason: "fixed" }));
    expect(() => checkPolicy(every100, facts({ widths: none }))).toThrow(
      expect.objectContaining({ code: "NOT_GROWABLE" }),
    );
  });

  it("checks events as before", () => {
    const events = { events: [{ width: "hidden3", by: 1, at: 5 }] };
    expect(() => checkPolicy(events, facts())).toThrow(expect.objectContaining({ code: "UNKNOWN_WIDTH" }));
  });

  it("says which widths may grow, in the order of the rule", () => {
    const ids = (change: Partial<RuledPolicy>) =>
      allowedWidths({ ...every100, ...change }, widths).map(({ id }) => id);
    expect(ids({})).toEqual(["hidden1", "hidden2"]);
    expect(ids({ where: { roundRobin: ["hidden2", "hidden1"] } })).toEqual(["hidden2", "hidden1"]);
    expect(ids({ where: { together: "all" } })).toEqual(["hidden1", "hidden2"]);
    expect(ids({ where: { best: "flops", among: ["hidden2"] } })).toEqual(["hidden2"]);
    expect(ids({ howMany: { targets: { hidden2: 9 }, growths: 1 } })).toEqual(["hidden2"]);
  });
});
