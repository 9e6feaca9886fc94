import { optimizerNames, optimizers } from "../training/optimizers/index.ts";
import { brokenRule, type OptionRule, type OptionRules } from "../training/options/option-rules.ts";
import type { ArmBudget, Grid, OptimizerConfig, ScheduleConfig } from "./config.ts";
import { defined, type JsonReader } from "./json-reader.ts";

export function readBudget(reader: JsonReader): ArmBudget {
  reader.object(["steps", "flops", "evaluateEvery", "patience"]);
  const steps = reader.field("steps").whole();
  const evaluateEvery = reader.field("evaluateEvery").whole();
  if (evaluateEvery > steps) throw reader.field("evaluateEvery").wrong(`must be at most the ${steps} steps`);
  return {
    steps,
    evaluateEvery,
    ...defined({
      flops: reader.field("flops").optional((flops) => flops.positive()),
      patience: reader.field("patience").optional((patience) => patience.whole()),
    }),
  };
}

export function readOptimizer(reader: JsonReader): OptimizerConfig {
  if (typeof reader.value === "string") return { name: reader.oneOf(optimizerNames), options: {} };
  const { name: _, ...options } = reader.anyObject();
  const name = reader.field("name").oneOf(optimizerNames);
  const rules: OptionRules = optimizers[name].options;
  reader.object(["name", ...Object.keys(rules)]);
  for (const [option, value] of Object.entries(options)) {
    const broken = brokenRule(rules[option] as OptionRule, value);
    if (broken !== undefined) throw reader.field(option).wrong(broken);
  }
  return { name, options: options as OptimizerConfig["options"] };
}

export function readGrid(reader: JsonReader, otherwise?: Grid): Grid {
  const rates = reader.field("rates").given || otherwise === undefined ? reader.field("rates").list() : [];
  const schedules = reader.field("schedules").optional((list) => list.list().map(readSchedule));
  return {
    rates: rates.length > 0 ? rates.map((rate) => rate.positive()) : (otherwise?.rates as readonly number[]),
    schedules: schedules ?? otherwise?.schedules ?? [{ kind: "constant" }],
  };
}

export function readSchedule(reader: JsonReader): ScheduleConfig {
  if (reader.value === "constant") return { kind: "constant" };
  if (reader.value === "cosine") return { kind: "cosine", warmup: 0, final: 0 };
  reader.object(["kind", "warmup", "hold", "final", "steps"]);
  if (reader.field("kind").oneOf(["constant", "cosine"]) === "constant") {
    reader.object(["kind"]);
    return { kind: "constant" };
  }
  return {
    kind: "cosine",
    warmup: reader.field("warmup").optional((warmup) => warmup.whole(0)) ?? 0,
    final: reader.field("final").optional((final) => final.positive({ zero: true, most: 1 })) ?? 0,
    ...defined({
      hold: reader.field("hold").optional((hold) => hold.whole(0)),
      steps: reader.field("steps").optional((steps) => steps.whole()),
    }),
  };
}
