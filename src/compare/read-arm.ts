import { strategyOf } from "../growth/strategies/index.ts";
import { type NewbornOptions, newbornOf } from "../training/optimizers/newborn.ts";
import type { GrowthPolicy } from "../training/policy/policy.ts";
import { readPolicy } from "../training/policy/read-policy.ts";
import type { Arm, ArmBudget, FirstPhase, Grid, OptimizerConfig, Size } from "./config.ts";
import { defined, inside, type JsonReader } from "./json-reader.ts";
import { readSize } from "./read-task.ts";
import { readBudget, readGrid, readOptimizer } from "./read-training.ts";

/** The defaults of an arm. */
export interface ArmDefaults {
  readonly kind: "mlp" | "cnn";
  readonly budget: ArmBudget;
  readonly optimizer: OptimizerConfig;
  readonly grid: Grid;
  readonly first: FirstPhase | undefined;
}

const common = ["optimizer", "rates", "schedules", "budget"];

export function readArm(reader: JsonReader, defaults: ArmDefaults): Arm {
  reader.object(["name", "size", "goesOn", "growth", "strategy", "newborn", ...common]);
  const goesOn = reader.field("goesOn").optional((flag) => flag.flag()) ?? false;
  const { first } = defaults;
  if (goesOn && first === undefined) throw reader.field("goesOn").wrong("needs a first phase to continue");
  if (goesOn && reader.field("size").given)
    throw reader.field("size").wrong("comes from the first phase if an arm continues it", "Leave it out.");
  const size = goesOn ? (first as FirstPhase).size : readSize(reader.field("size"), defaults.kind);
  return {
    name: reader.field("name").text(),
    size,
    goesOn,
    ...defined({
      growth: reader.field("growth").optional((growth) => readGrowth(growth, reader.field("strategy"))),
      newborn: reader.field("newborn").optional(readNewborn),
    }),
    ...readCommon(reader, defaults),
  };
}

/** The arms of a sweep: one per size, from scratch. */
export function readSweep(reader: JsonReader, defaults: ArmDefaults): readonly Arm[] {
  reader.object(["name", "sizes", ...common]);
  const sweep = reader.field("name").optional((name) => name.text()) ?? "sweep";
  const sizes = reader.field("sizes").list();
  if (sizes.length < 2) throw reader.field("sizes").wrong("must be two or more");
  return sizes.map((one): Arm => {
    const size = readSize(one, defaults.kind);
    return {
      name: `${sweep} ${sizeText(size)}`,
      size,
      goesOn: false,
      sweep,
      ...readCommon(reader, defaults),
    };
  });
}

/** "8-16" */
export function sizeText({ filters, hidden }: Size): string {
  return [...filters, ...hidden].join("-");
}

function readCommon(reader: JsonReader, defaults: ArmDefaults): Pick<Arm, "optimizer" | "grid" | "budget"> {
  return {
    optimizer: reader.field("optimizer").optional(readOptimizer) ?? defaults.optimizer,
    grid: readGrid(reader, defaults.grid),
    budget: reader.field("budget").optional(readBudget) ?? defaults.budget,
  };
}

/** A list of events, or a whole policy. The arm's strategy goes into it. */
function readGrowth(reader: JsonReader, strategy: JsonReader): GrowthPolicy {
  const given = reader.value;
  const named = strategy.optional((name) => readStrategy(name));
  const { strategy: own = named, ...rules } = Array.isArray(given) ? { events: given } : reader.anyObject();
  if (own !== named && named !== undefined) throw strategy.wrong(`is given twice: growth says ${own}`);
  try {
    const policy = readPolicy({ ...rules, ...(own === undefined ? {} : { strategy: own }) });
    if (policy.strategy !== undefined) strategyOf(policy.strategy);
    return policy;
  } catch (error) {
    throw inside(error, reader.path);
  }
}

function readNewborn(reader: JsonReader): NewbornOptions {
  reader.object(["warmup", "youth", "rate"]);
  const given = reader.value as NewbornOptions;
  try {
    newbornOf(given);
    return given;
  } catch (error) {
    throw inside(error, reader.path);
  }
}

function readStrategy(reader: JsonReader): string {
  const name = reader.text();
  try {
    strategyOf(name);
    return name;
  } catch (error) {
    throw inside(error, reader.path);
  }
}
