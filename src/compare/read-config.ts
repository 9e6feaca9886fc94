import { EspalierError } from "../tensor/errors.ts";
import { unknownName } from "../tensor/unknown-name.ts";
import { type Comparison, type FirstPhase, type OptimizerConfig, questions } from "./config.ts";
import { checkEndSizes } from "./end-size.ts";
import { gridOf, scheduleOf } from "./job.ts";
import { defined, inside, JsonReader } from "./json-reader.ts";
import { type ArmDefaults, readArm, readSweep } from "./read-arm.ts";
import { readSize, readTask } from "./read-task.ts";
import { constant, readBudget, readGrid, readOptimizer, readSchedule } from "./read-training.ts";

const fields = [
  "title",
  "question",
  "task",
  "budget",
  "optimizer",
  "first",
  "tuning",
  "seeds",
  "reference",
  "arms",
  "sweep",
  "sizesDiffer",
];

/**
 * A comparison from the text of a JSON document. Throws `CONFIG`, naming the path of the offending field: unknown or
 * missing fields, values out of range, seeds that are both tuned and reported on, arms that end at different sizes
 * without `sizesDiffer`, arms that do not fit the question.
 */
export function readComparison(text: string, name = "configuration"): Comparison {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new EspalierError("CONFIG", {
      thing: name,
      rule: "must be one JSON document",
      received: cause instanceof Error ? cause.message : text.slice(0, 80),
      cause,
    });
  }
  const root = new JsonReader(document, "");
  new JsonReader(document, name).anyObject();
  root.object(fields);
  const question = root.field("question").oneOf(questions);
  const task = readTask(root.field("task"));
  const budget = readBudget(root.field("budget"));
  const optimizer = root.field("optimizer").optional(readOptimizer) ?? { name: "adam", options: {} };
  const tuning = root.field("tuning").object(["rates", "schedules", "rule"]);
  const grid = readGrid(tuning);
  const seeds = readSeeds(root.field("seeds"));
  const { kind } = task.network;
  const first = root.field("first").optional((reader) => readFirst(reader, kind, optimizer));
  const defaults: ArmDefaults = { kind, budget, optimizer, grid, first };
  const arms = root
    .field("arms")
    .list()
    .map((reader) => readArm(reader, defaults));
  const sweep = root.field("sweep").optional((reader) => readSweep(reader, defaults)) ?? [];
  const comparison: Comparison = {
    title: root.field("title").text(),
    question,
    task,
    ...defined({ first }),
    tuning: { rule: tuning.field("rule").optional((rule) => rule.oneOf(["best", "final"])) ?? "best" },
    seeds,
    reference:
      root.field("reference").optional((reader) => reader.text()) ??
      sweep[0]?.sweep ??
      (arms[0]?.name as string),
    arms: [...sweep, ...arms],
    sizesDiffer: root.field("sizesDiffer").optional((reader) => reader.flag()) ?? question === "unknown size",
  };
  checkWhole(comparison, root);
  return comparison;
}

function readFirst(reader: JsonReader, kind: "mlp" | "cnn", optimizer: OptimizerConfig): FirstPhase {
  reader.object(["size", "optimizer", "rate", "schedule", "budget"]);
  return {
    size: readSize(reader.field("size"), kind),
    optimizer: reader.field("optimizer").optional(readOptimizer) ?? optimizer,
    rate: reader.field("rate").positive(),
    schedule: reader.field("schedule").optional(readSchedule) ?? constant,
    budget: readBudget(reader.field("budget")),
  };
}

function readSeeds(reader: JsonReader): Comparison["seeds"] {
  reader.object(["tuning", "report"]);
  const [tuning, report] = [reader.field("tuning"), reader.field("report")].map(readSeedList) as [
    number[],
    number[],
  ];
  const both = report.filter((seed) => tuning.includes(seed));
  if (both.length === 0) return { tuning, report };
  throw new EspalierError("CONFIG", {
    thing: "seeds",
    rule: "must not be used both for tuning and for reporting, which would favor what was tuned",
    received: both,
    remedy: "Tune on other seeds, such as { start: 1000, count: 3 }.",
  });
}

/** A list of seeds, or { start, count }. */
function readSeedList(reader: JsonReader): readonly number[] {
  const seeds = Array.isArray(reader.value)
    ? reader.list().map((seed) => seed.whole(0))
    : Array.from(
        { length: reader.object(["start", "count"]).field("count").whole() },
        (_, index) => reader.field("start").whole(0) + index,
      );
  if (new Set(seeds).size === seeds.length) return seeds;
  throw reader.wrong("must name each seed once");
}

/** Checks that involve several fields. */
function checkWhole(comparison: Comparison, root: JsonReader): void {
  const { arms, question, first, reference } = comparison;
  const names = [
    ...new Set(arms.flatMap(({ name, sweep }) => [name, ...(sweep === undefined ? [] : [sweep])])),
  ];
  const given = arms.map(({ name }) => name);
  const twice = given.find(
    (name, index) => given.indexOf(name) !== index || arms.some(({ sweep }) => sweep === name),
  );
  if (twice !== undefined)
    throw new EspalierError("CONFIG", {
      thing: "arms",
      rule: "must have different names",
      received: twice,
    });
  if (!names.includes(reference)) throw unknownName("CONFIG", "reference", reference, names);
  const on = arms.some(({ goesOn }) => goesOn);
  if (question === "too small" && (first === undefined || !on || arms.every(({ goesOn }) => goesOn))) {
    throw root
      .field(first === undefined ? "first" : "arms")
      .wrong(
        '"too small" needs a first phase, an arm that continues it ("goesOn": true) and one that starts over',
      );
  }
  if (question === "unknown size" && !arms.some(({ sweep }) => sweep !== undefined))
    throw root.field("sweep").wrong('"unknown size" needs a sweep over sizes: { name, sizes: [...] }');
  checkEndSizes(comparison);
  checkSchedules(comparison);
}

/** Every schedule must fit into the steps of its runs. */
function checkSchedules({ arms, first }: Comparison): void {
  const runs = [
    ...(first === undefined ? [] : [{ thing: "first.schedule", ...first }]),
    ...arms.flatMap((arm) =>
      gridOf(arm).map((point) => ({ thing: `schedule of arm "${arm.name}"`, budget: arm.budget, ...point })),
    ),
  ];
  for (const { thing, ...run } of runs) {
    try {
      scheduleOf(run);
    } catch (error) {
      throw inside(error, thing);
    }
  }
}
