import { optimizers } from "../training/optimizers/index.ts";
import { schedules } from "../training/schedules/index.ts";
import type { ArmBudget, Grid, OptimizerConfig, ScheduleConfig } from "./config.ts";
import { defined, type JsonReader } from "./json-reader.ts";
import { readNamed } from "./read-named.ts";

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

export const readOptimizer = (reader: JsonReader): OptimizerConfig => readNamed(reader, optimizers);

export function readGrid(reader: JsonReader, otherwise?: Grid): Grid {
  const rates = reader.field("rates").given || otherwise === undefined ? reader.field("rates").list() : [];
  const schedules = reader.field("schedules").optional((list) => list.list().map(readSchedule));
  return {
    rates: rates.length > 0 ? rates.map((rate) => rate.positive()) : (otherwise?.rates as readonly number[]),
    schedules: schedules ?? otherwise?.schedules ?? [constant],
  };
}

/** The schedule of an arm that names none. */
export const constant: ScheduleConfig = { kind: "constant", options: {} };

export function readSchedule(reader: JsonReader): ScheduleConfig {
  const { name, options } = readNamed(reader, schedules, { key: "kind", more: ["steps"] });
  const steps =
    typeof reader.value === "string" ? undefined : reader.field("steps").optional((steps) => steps.whole());
  return { kind: name, options, ...defined({ steps }) };
}
