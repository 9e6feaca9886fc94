import { describe, expect, it } from "vitest";
import { type Simulation, simulate, told } from "../../../test/fixtures/simulated-run.ts";
import type { RuledPolicy } from "./policy.ts";

const policy = (change: Partial<RuledPolicy> = {}): RuledPolicy => ({
  when: { every: 10 },
  where: { width: "a" },
  howMany: { units: 4 },
  ...change,
});

const run = (change: Partial<RuledPolicy>, more: Partial<Simulation> = {}) =>
  simulate({ policy: policy(change), steps: 50, sizes: { a: 4, b: 6 }, ...more });

const lines = (change: Partial<RuledPolicy>, more: Partial<Simulation> = {}) =>
  told(run(change, more).decisions);
const whys = (change: Partial<RuledPolicy>, more: Partial<Simulation> = {}) =>
  run(change, more).decisions.map(({ why }) => why);

describe("when", () => {
  it("every n updates, and never after the last", () => {
    expect(lines({})).toEqual(["10 grow a+4", "20 grow a+4", "30 grow a+4", "40 grow a+4"]);
    expect(lines({ when: { every: 20, from: 5 } })).toEqual(["5 grow a+4", "25 grow a+4", "45 grow a+4"]);
    expect(lines({ when: { every: 30, from: 0 } })).toEqual(["0 grow a+4", "30 grow a+4"]);
    expect(whys({ when: { every: 40 } })).toEqual(["every 40 updates"]);
  });

  it("after numbers of updates", () => {
    expect(lines({ when: { at: [30, 0, 7, 50] } })).toEqual(["0 grow a+4", "7 grow a+4", "30 grow a+4"]);
    expect(whys({ when: { at: [7] } })).toEqual(["asked for after 7 updates"]);
  });

  it("on a plateau: when the mean over a window no longer falls", () => {
    // It halves with every update, and is constant from step 12 on.
    const loss = (step: number) => 2 ** -Math.min(step, 12);
    const when = { plateau: { window: 5, minGain: 0.1 } };
    // Updates 16 to 20 all lose 2^-12, but 11 to 15 begin with 2^-11: a sixth less. 17 to 21 lose no less than 12 to 16.
    expect(lines({ when }, { loss, steps: 40 })[0]).toBe("21 grow a+4");
    expect(whys({ when }, { loss, steps: 22 })).toEqual([
      "the loss fell by 0 % over the last 5 updates, not by 10 %",
    ]);
    // Losses are collected again after it: two more windows.
    expect(lines({ when }, { loss, steps: 40 })).toEqual(["21 grow a+4", "31 grow a+4"]);
    expect(lines({ when: { plateau: { ...when.plateau, atLeast: 15 } } }, { loss, steps: 40 })).toEqual([
      "21 grow a+4",
      "36 grow a+4",
    ]);
    const patient = { plateau: { ...when.plateau, patience: 2 } };
    expect(lines({ when: patient }, { loss, steps: 40 })).toEqual(["26 grow a+4"]);
    expect(whys({ when: patient }, { loss, steps: 30 })).toEqual([
      "the loss fell by 0 % over the last 5 updates, and in none of 2 such windows by 10 %",
    ]);
    expect(lines({ when }, { loss: (step) => 2 ** -step })).toEqual([]);
  });

  it("on a threshold of the score", () => {
    const when = { score: { every: 10, above: 0.3 } };
    const gains = (_: string, step: number) => [step / 100, 0.01];
    const { decisions, flops } = run({ when }, { gains });
    expect(told(decisions)).toEqual(["10 skip", "20 skip", "30 skip", "40 grow a+4"]);
    expect(decisions.map(({ why }) => why).slice(2)).toEqual([
      "the best new unit, of a, promises to lower the loss by 0.3, not more than 0.3",
      "the best new unit, of a, promises to lower the loss by 0.4, more than 0.3",
    ]);
    expect(decisions[0]?.scores).toEqual([
      { width: "a", method: "made up", best: 0.1, perCost: (0.1 + 0.01) / 4, by: 4 },
    ]);
    const free = run({ when }, { gains, scoringFlops: 0 });
    expect(flops - free.flops).toBe(4 * 50);
  });

  it("whenever another fraction of the FLOPs is spent", () => {
    const budget = { flops: 200_000 };
    const { decisions, flops } = run({ when: { budget: { every: 0.25 } }, budget }, { steps: 10_000 });
    expect(told(decisions).map((line) => line.replace(/^\d+ /, ""))).toEqual([
      "grow a+4",
      "grow a+4",
      "grow a+4",
      "stop",
    ]);
    decisions.slice(0, 3).forEach((decision, index) => {
      expect(decision.flops / budget.flops).toBeGreaterThanOrEqual(0.25 * (index + 1));
      expect(decision.flops / budget.flops).toBeLessThan(0.25 * (index + 1) + 0.01);
    });
    expect(decisions[1]?.why).toBe("50 % of the FLOPs are spent");
    expect(decisions[3]?.why).toMatch(
      /^the run ends: 199,\d+ of 200,000 FLOPs are spent, and [\d,]+ more would exceed/,
    );
    expect(flops).toBeLessThanOrEqual(budget.flops);
  });

  it("as decided beforehand", () => {
    const events = [
      { width: "a", by: 2, at: 0 },
      { width: "b", by: 5, every: 20, until: 13 },
      { width: "a", by: 1, at: 20 },
    ];
    const { decisions, sizes } = simulate({ policy: { events }, steps: 60, sizes: { a: 4, b: 6 } });
    expect(told(decisions)).toEqual(["0 grow a+2", "20 grow b+5 a+1", "40 grow b+2"]);
    expect(sizes).toEqual({ a: 7, b: 13 });
  });
});

describe("where", () => {
  it("round robin, skipping widths without room", () => {
    expect(lines({ where: { roundRobin: "all" } })).toEqual([
      "10 grow a+4",
      "20 grow b+4",
      "30 grow a+4",
      "40 grow b+4",
    ]);
    expect(lines({ where: { roundRobin: "all" }, stop: { widths: { a: 6 } } })).toEqual([
      "10 grow a+2",
      "20 grow b+4",
      "30 grow b+4",
      "40 grow b+4",
    ]);
    expect(whys({ where: { roundRobin: "all" }, stop: { widths: { a: 6 } } }).slice(0, 2)).toEqual([
      "every 10 updates; it is the turn of a; cut from 4 to 2 for at most 6 units",
      "every 10 updates; it is the turn of b",
    ]);
  });

  it("all together, each within the remaining room", () => {
    const { decisions, parameters } = run({ where: { together: "all" }, stop: { parameters: 100 } });
    // 3-4-6-3 has 16 + 30 + 21 = 67 parameters; 3-7-6-3 has 97, and one more unit of b would make 108.
    expect(told(decisions)).toEqual(["10 grow a+3", "20 stop"]);
    expect(decisions.map(({ why }) => why)).toEqual([
      "every 10 updates; a and b together; a: cut from 4 to 3 for at most 100 parameters; b: cut from 4 to 0 for at most 100 parameters",
      "growing ends: no room is left for a and b",
    ]);
    expect(parameters).toBe(97);
    expect(lines({ where: { together: "all" } }, { steps: 20 })).toEqual(["10 grow a+4 b+4"]);
  });

  it("the width whose units promise the most for their cost", () => {
    const gains = (width: string) => (width === "a" ? [0.2, 0.1] : [0.16, 0.16]);
    const best = (per: "flops" | "parameters" | "units", units: number) =>
      run({ where: { best: per }, howMany: { units } }, { gains, steps: 12 }).decisions;
    expect(told(best("units", 1))).toEqual(["10 grow a+1"]);
    expect(told(best("units", 2))).toEqual(["10 grow b+2"]);
    expect(best("units", 2)[0]?.why).toBe(
      "every 10 updates; b promises the largest decrease of the loss per unit (b 0.16, a 0.15)",
    );
    // Both cost the same here: 40 FLOPs and 7 parameters for each unit.
    expect(best("flops", 2)[0]?.scores?.map(({ width, perCost }) => [width, perCost])).toEqual([
      ["b", 0.32 / 80],
      ["a", (0.2 + 0.1) / 80],
    ]);
    expect(best("parameters", 2)[0]?.scores?.[0]?.perCost).toBe(0.32 / 14);
  });

  it("does not grow if no width promises a gain", () => {
    const where = { best: "flops" } as const;
    expect(lines({ where }, { gains: () => [0, 0], steps: 22 })).toEqual(["10 skip", "20 skip"]);
    expect(whys({ where }, { gains: () => [], steps: 12 })).toEqual([
      "every 10 updates; no new unit promises to lower the loss",
    ]);
  });
});

describe("how many", () => {
  it("a share of what there is, a whole number of them", () => {
    expect(lines({ howMany: { fraction: 0.3 } })).toEqual([
      "10 grow a+2",
      "20 grow a+2",
      "30 grow a+3",
      "40 grow a+4",
    ]);
    expect(whys({ howMany: { fraction: 0.3 } })[2]).toBe("every 10 updates; 30 % of 8 units");
  });

  it("as many as promise a fraction of the best one's gain", () => {
    const gains = () => [1, 0.5, 0.4, 0.31, 0.29, 0.1];
    const marginal = (share: number, most: number) =>
      lines({ howMany: { marginal: { share, most } } }, { gains, steps: 12 });
    expect(marginal(0.3, 10)).toEqual(["10 grow a+4"]);
    expect(marginal(0.3, 3)).toEqual(["10 grow a+3"]);
    expect(marginal(1, 10)).toEqual(["10 grow a+1"]);
    expect(whys({ howMany: { marginal: { share: 0.3, most: 10 } } }, { gains, steps: 12 })).toEqual([
      "every 10 updates; 4 units of a promise at least 30 % of what the best does",
    ]);
  });

  it("towards targets, by the same factor each time", () => {
    const howMany = { targets: { a: 32 }, growths: 3 };
    expect(lines({ howMany })).toEqual(["10 grow a+4", "20 grow a+8", "30 grow a+16", "40 stop"]);
    expect(whys({ howMany })[1]).toBe("every 10 updates; growth 2 of 3 towards 32 units");
    const both = { targets: { a: 9, b: 20 }, growths: 2 };
    expect(lines({ howMany: both, where: { together: "all" } })).toEqual([
      "10 grow a+2 b+5",
      "20 grow a+3 b+9",
      "30 stop",
    ]);
  });

  it("in multiples, if a width grows by those", () => {
    const multiples = { a: 4 };
    expect(lines({ howMany: { units: 5 } }, { multiples, steps: 12 })).toEqual(["10 grow a+8"]);
    expect(lines({ howMany: { fraction: 0.1 } }, { multiples, steps: 12 })).toEqual(["10 grow a+4"]);
    const stop = { widths: { a: 11 } };
    expect(lines({ howMany: { units: 8 }, stop }, { multiples, steps: 12 })).toEqual(["10 grow a+4"]);
    const howMany = { targets: { a: 15 }, growths: 1 };
    expect(lines({ howMany }, { multiples })).toEqual(["10 grow a+8", "20 stop"]);
  });
});

describe("stop", () => {
  it("after a number of growths or updates", () => {
    expect(lines({ stop: { growths: 2 } })).toEqual(["10 grow a+4", "20 grow a+4", "30 stop"]);
    expect(lines({ stop: { steps: 29 } })).toEqual(["10 grow a+4", "20 grow a+4", "30 stop"]);
    expect(lines({ stop: { steps: 30 } })).toEqual(["10 grow a+4", "20 grow a+4", "30 grow a+4", "40 stop"]);
    expect(whys({ stop: { growths: 1 } })[1]).toBe("growing ends: 1 growth was allowed");
    expect(whys({ stop: { steps: 29 } })[2]).toBe("growing ends: nothing grows after 29 updates");
  });

  it("when growths no longer lower the loss", () => {
    const loss = (_: number, { a = 0 }) => (a < 12 ? 12 - a : a === 12 ? 0.5 : 0.499);
    const stop = { noGain: { growths: 1, minGain: 0.01 } };
    const { decisions, state } = run({ stop }, { loss });
    // 8, 4, 0.5, 0.499: the third growth gained a fifth of a percent.
    expect(told(decisions)).toEqual(["10 grow a+4", "20 grow a+4", "30 grow a+4", "40 stop"]);
    expect(decisions.at(-1)?.why).toBe(
      "growing ends: the last 1 growth lowered the loss by 0.2 %, not by 1 %",
    );
    expect(state.gains.map((gain) => Number(gain.toFixed(4)))).toEqual([0.5, 0.875, 0.002]);
    const twice = run({ stop: { noGain: { growths: 2, minGain: 0.01 } } }, { loss, steps: 70 });
    expect(told(twice.decisions).at(-1)).toBe("50 stop");
    expect(twice.decisions.at(-1)?.why).toContain("0.2 %, 0 %, not by 1 %");
  });

  it("ends the run before an update or a growth would exceed its FLOPs", () => {
    const plain = run({ budget: { flops: 30_000 } }, { steps: 1000 });
    expect(plain.flops).toBeLessThanOrEqual(30_000);
    expect(plain.flops + 6 * plain.parameters).toBeGreaterThan(30_000);
    // 67 parameters: 10 updates cost 4,020 FLOPs, and growing by 4 units costs at most 9 · 67 · 4.
    const tight = run({ budget: { flops: 6000 } }, { steps: 1000 });
    expect(told(tight.decisions)).toEqual(["10 stop", "14 stop"]);
    expect(tight.decisions[0]?.why).toBe(
      "growing ends: 4,020 of 6,000 FLOPs are spent, and 2,412 more would exceed them by growing",
    );
    const scored = run(
      { budget: { flops: 5000 }, where: { best: "flops" } },
      { steps: 1000, scoringFlops: 800 },
    );
    expect(scored.decisions[0]?.why).toContain("by scoring");
  });
});

describe("trial", () => {
  const trial = { steps: 4, minGain: 0.1 };
  const smoothing = 1;

  it("keeps a growth that paid off, and grows again at the next moment", () => {
    const loss = (_: number, { a = 0 }) => 1 / a;
    const { decisions, updates } = run({ trial, smoothing }, { loss, steps: 25 });
    expect(told(decisions)).toEqual(["10 grow a+4", "14 keep a+4", "20 grow a+4", "24 keep a+4"]);
    expect(decisions[1]?.why).toBe(
      "the training loss went from 0.25 to 0.125 in 4 updates: by 50 %, at least 10 %",
    );
    expect(updates).toBe(25);
  });

  it("undoes a growth that did not, tries another width at once, and leaves the first alone for longer and longer", () => {
    const loss = (_: number, { b = 0 }) => 1 / b;
    const { decisions, sizes, updates, step } = run(
      { trial, smoothing, where: { roundRobin: "all" }, when: { every: 5 } },
      { loss, steps: 40 },
    );
    expect(told(decisions)).toEqual([
      "5 grow a+4",
      "9 undo a+4 → 5",
      "5 grow b+4",
      "9 keep b+4",
      "10 grow a+4", // It was left alone up to step 9.
      "14 undo a+4 → 10",
      "10 grow b+4",
      "14 keep b+4",
      "15 grow b+4", // Up to step 18.
      "19 keep b+4",
      "20 grow a+4",
      "24 undo a+4 → 20",
      "20 grow b+4",
      "24 keep b+4",
      "25 grow b+4", // Up to step 36.
      "29 keep b+4",
      "30 grow b+4",
      "34 keep b+4",
      "35 grow b+4",
      "39 keep b+4",
    ]);
    expect(sizes).toEqual({ a: 4, b: 34 });
    expect(step).toBe(40);
    expect(updates).toBe(40 + 3 * 4);
  });

  it("waits if there is no other", () => {
    const { decisions, sizes } = run({ trial, smoothing }, { loss: () => 1, steps: 35 });
    expect(told(decisions)).toEqual([
      "10 grow a+4",
      "14 undo a+4 → 10",
      "10 skip",
      "20 grow a+4",
      "24 undo a+4 → 20",
      "20 skip",
      "30 grow a+4",
      "34 undo a+4 → 30",
      "30 skip",
    ]);
    expect(decisions[2]?.why).toBe("every 10 updates; a has not paid off recently and waits");
    expect(sizes).toEqual({ a: 4, b: 6 });
  });

  it("continues with the plateau's losses as they were", () => {
    const when = { plateau: { window: 3, minGain: 0.5 } };
    const { decisions, state } = run(
      { when, trial, smoothing, where: { roundRobin: "all" } },
      { loss: () => 1, steps: 11 },
    );
    // Both fail at step 6; the plateau must then be found again, from step 6 on.
    expect(told(decisions)).toEqual([
      "6 grow a+4",
      "10 undo a+4 → 6",
      "6 grow b+4",
      "10 undo b+4 → 6",
      "6 skip",
    ]);
    expect(decisions[2]?.why).toBe(
      "the loss fell by 0 % over the last 3 updates, not by 50 %; it is the turn of b",
    );
    expect(state.losses).toEqual([1, 1, 1, 1, 1]);
  });

  it("may judge by the validation loss, and does not count as a gain", () => {
    const change: Partial<RuledPolicy> = {
      trial: { ...trial, loss: "validation" },
      stop: { noGain: { growths: 2, minGain: 0.1 } },
      where: { roundRobin: "all" },
    };
    const { decisions } = run(change, { loss: () => 3, steps: 15 });
    expect(told(decisions)).toEqual([
      "10 grow a+4",
      "14 undo a+4 → 10",
      "10 grow b+4",
      "14 undo b+4 → 10",
      "10 stop",
    ]);
    expect(decisions[1]?.why).toBe("the validation loss went from 3 to 3 in 4 updates: by 0 %, not by 10 %");
    // At step 0 there is a validation loss, but no training loss.
    const first = (loss: "training" | "validation") =>
      lines({ trial: { ...trial, loss }, when: { at: [0] } }, { loss: () => 3, steps: 15 });
    expect(first("validation")).toEqual(["0 grow a+4", "4 undo a+4 → 0", "0 skip"]);
    expect(first("training")).toEqual(["0 grow a+4", "4 keep a+4"]);
  });

  it("is judged at the last step, and left open if the run ends within it", () => {
    expect(lines({ trial, smoothing }, { loss: () => 1, steps: 14 })).toEqual([
      "10 grow a+4",
      "14 undo a+4 → 10",
      "10 skip",
    ]);
    expect(lines({ trial, smoothing }, { loss: () => 1, steps: 13 })).toEqual(["10 grow a+4"]);
  });
});
