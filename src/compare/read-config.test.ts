import { expect, test } from "vitest";
import { EspalierError } from "../tensor/errors.ts";
import { brokenRule } from "../training/options/option-rules.ts";
import { rateAt, schedules } from "../training/schedules/index.ts";
import type { Arm } from "./config.ts";
import { type GridPoint, gridOf, scheduleOf } from "./job.ts";
import { readComparison } from "./read-config.ts";

const sound = {
  title: "moons",
  question: "known size",
  task: {
    data: { kind: "moons" },
    network: { kind: "mlp" },
    loss: "crossEntropy",
    batch: 32,
    split: { validation: 0.2 },
  },
  budget: { steps: 100, evaluateEvery: 10 },
  tuning: { rates: [0.01, 0.03] },
  seeds: { tuning: [7], report: { start: 0, count: 3 } },
  arms: [
    { name: "scratch", size: { hidden: [8] } },
    { name: "grown", size: { hidden: [4] }, growth: [{ width: "hidden1", by: 4, at: 20 }] },
  ],
};

/** The document with one field replaced, by its path. */
function changed(path: string, value: unknown): string {
  const copy = structuredClone(sound) as Record<string, unknown>;
  const steps = path.split(/[.[\]]+/).filter((step) => step !== "");
  const last = steps.pop() as string;
  const holder = steps.reduce((at, step) => at[step] as Record<string, unknown>, copy);
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return JSON.stringify(copy);
}

function refusal(text: string): EspalierError {
  try {
    readComparison(text, "file.json");
  } catch (error) {
    expect(error).toBeInstanceOf(EspalierError);
    return error as EspalierError;
  }
  throw new Error("it was taken");
}

test("defaults are filled in", () => {
  const read = readComparison(JSON.stringify(sound));
  expect(read.reference).toBe("scratch");
  expect(read.seeds).toEqual({ tuning: [7], report: [0, 1, 2] });
  expect(read.tuning).toEqual({ rule: "best" });
  expect(read.arms[1]).toMatchObject({
    name: "grown",
    goesOn: false,
    optimizer: { name: "adam", options: {} },
    grid: { rates: [0.01, 0.03], schedules: [{ kind: "constant", options: {} }] },
    budget: { steps: 100, evaluateEvery: 10 },
  });
});

const wrong: readonly (readonly [path: string, value: unknown, thing: string])[] = [
  ["titel", "x", "titel"],
  ["title", undefined, "title"],
  ["question", "which", "question"],
  ["task.data.kind", "cifar", "task.data.kind"],
  ["task.data.folder", "x", "task.data.folder"],
  ["task.network.activation", "step", "task.network.activation"],
  ["task.batch", 0, "task.batch"],
  ["task.split.validation", undefined, "task.split.validation"],
  ["budget.steps", 1.5, "budget.steps"],
  ["budget.evaluateEvery", 101, "budget.evaluateEvery"],
  ["tuning.rates", [], "tuning.rates"],
  ["tuning.rates[1]", -1, "tuning.rates[1]"],
  ["tuning.schedules", [{ kind: "triangle" }], "tuning.schedules[0].kind"],
  ["tuning.schedules", ["step"], "tuning.schedules[0]"],
  ["tuning.schedules", [{ kind: "step" }], "tuning.schedules[0].every"],
  ["tuning.schedules", [{ kind: "constant", warmup: 3 }], "tuning.schedules[0].warmup"],
  ["tuning.schedules", [{ kind: "wsd", share: 2 }], "tuning.schedules[0].share"],
  ["tuning.schedules", [{ kind: "cosine", warmup: 100 }], 'schedule of arm "scratch"'],
  ["tuning.schedules", [{ kind: "oneCycle", steps: 3 }], 'schedule of arm "scratch"'],
  ["task.loss", "hubert", "task.loss"],
  ["task.loss", { name: "huber", delta: 0 }, "task.loss.delta"],
  ["task.metrics", [], "task.metrics"],
  ["task.metrics", ["recall"], "task.metrics[0]"],
  ["task.metrics", [{ name: "topK", k: 0 }], "task.metrics[0].k"],
  ["seeds.report", [1, 1], "seeds.report"],
  ["seeds.tuning", [2, 9], "seeds"],
  ["reference", "nobody", "reference"],
  ["arms[0].size.hidden[0]", "8", "arms[0].size.hidden[0]"],
  ["arms[1].growth[0].by", 0, "arms[1].growth"],
  ["arms[1].growth[0].every", 10, "arms[1].growth"],
  ["arms[1].growth[0].width", "hidden2", 'growth of arm "grown"'],
  ["arms[1].growth[0].by", 3, "arms[1]"],
  ["arms[1].growth", { when: "plateau" }, "arms[1].growth"],
  ["arms[1].growth", { when: { every: 10 }, howMany: { units: 1 } }, "arms[1]"],
  ["arms[1].strategy", "magic", "arms[1].strategy"],
  ["arms[1].newborn", { rate: 2 }, "arms[1].newborn"],
  ["arms[1].newborn", { age: 2 }, "arms[1].newborn.age"],
  ["arms[1].goesOn", true, "arms[1].goesOn"],
  ["arms[1].name", "scratch", "arms"],
  ["question", "too small", "first"],
  ["question", "unknown size", "sweep"],
];

test.each(wrong)("%s = %j is refused by its path", (path, value, thing) => {
  const error = refusal(changed(path, value));
  expect([error.code, error.thing]).toEqual(["CONFIG", thing]);
});

test("an error in a policy names the path within it", () => {
  const error = refusal(changed("arms[1].growth[0].by", 0));
  expect(error.message).toContain("events[0].by");
});

test("a policy with targets ends at them", () => {
  const policy = { when: { every: 10 }, howMany: { targets: { hidden1: 8 }, growths: 2 } };
  expect(readComparison(changed("arms[1].growth", policy)).arms[1]?.growth).toEqual(policy);
});

test("schedules, losses and metrics have the options that they have in `train`", () => {
  for (const [name, { options }] of Object.entries(schedules)) {
    const given = Object.fromEntries(
      Object.entries(options).map(([option, rule]) => [
        option,
        brokenRule(rule, rule.default) ? 1 : rule.default,
      ]),
    );
    const { arms } = readComparison(changed("tuning.schedules", [{ kind: name, ...given, steps: 50 }]));
    expect(arms[0]?.grid.schedules).toEqual([{ kind: name, options: given, steps: 50 }]);
  }
  const [arm] = readComparison(changed("tuning.schedules", [{ kind: "cosine", final: 0.005 }])).arms;
  const [point] = gridOf(arm as Arm);
  // The rate at the end itself, not a share of the peak.
  expect(rateAt(scheduleOf({ ...(point as GridPoint), budget: (arm as Arm).budget }), 100)).toBe(0.005);
  const metrics = ["accuracy", { name: "topK", k: 3 }];
  expect(readComparison(changed("task.metrics", metrics)).task.metrics).toEqual([
    { name: "accuracy", options: {} },
    { name: "topK", options: { k: 3 } },
  ]);
});

test("text that is not JSON names the file", () => {
  expect(refusal("{").thing).toBe("file.json");
  expect(refusal("[]").thing).toBe("file.json");
});

test("sizes may differ if the configuration says so", () => {
  const other = JSON.parse(changed("arms[1].growth[0].by", 3));
  expect(readComparison(JSON.stringify({ ...other, sizesDiffer: true })).arms).toHaveLength(2);
});

test("a repeated growth ends when it is cut or when the steps end", () => {
  const every = [{ width: "hidden1", by: 1, every: 30 }];
  // After updates 30, 60, 90: seven units, and not eight.
  expect(refusal(changed("arms[1].growth", every)).received).toContain("hidden1 7");
  const until = [{ width: "hidden1", by: 3, every: 10, until: 8 }];
  expect(readComparison(changed("arms[1].growth", until)).arms).toHaveLength(2);
});

test("a sweep becomes arms, and is the reference", () => {
  const document = {
    ...sound,
    question: "unknown size",
    sweep: { sizes: [{ hidden: [4] }, { hidden: [8] }] },
  };
  const read = readComparison(JSON.stringify(document));
  expect(read.reference).toBe("sweep");
  expect(read.arms.map(({ name, sweep }) => [name, sweep])).toEqual([
    ["sweep 4", "sweep"],
    ["sweep 8", "sweep"],
    ["scratch", undefined],
    ["grown", undefined],
  ]);
});
