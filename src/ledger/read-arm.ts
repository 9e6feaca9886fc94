import { strategies } from "../growth/strategies/index.ts";
import type { GrowthEvent } from "../training/growth-schedule.ts";
import type { Arm, Budget, FirstPhase, Grid, GrowthConfig, OptimizerConfig, Size } from "./config.ts";
import { defined, type JsonReader } from "./json-reader.ts";
import { readSize } from "./read-task.ts";
import { readBudget, readGrid, readOptimizer } from "./read-training.ts";

/** What an arm has unless it says otherwise. */
export interface ArmDefaults {
  readonly kind: "mlp" | "cnn";
  readonly budget: Budget;
  readonly optimizer: OptimizerConfig;
  readonly grid: Grid;
  readonly first: FirstPhase | undefined;
}

const common = ["optimizer", "rates", "schedules", "budget"];

export function readArm(reader: JsonReader, defaults: ArmDefaults): Arm {
  reader.object(["name", "size", "goesOn", "growth", "strategy", "newborn", ...common]);
  const goesOn = reader.field("goesOn").optional((flag) => flag.flag()) ?? false;
  const { first } = defaults;
  if (goesOn && first === undefined) throw reader.field("goesOn").wrong("needs a first phase to go on with");
  if (goesOn && reader.field("size").given)
    throw reader.field("size").wrong("is the first phase's where an arm goes on with it", "Leave it out.");
  const size = goesOn ? (first as FirstPhase).size : readSize(reader.field("size"), defaults.kind);
  return {
    name: reader.field("name").text(),
    size,
    goesOn,
    ...defined({
      growth: reader.field("growth").optional(readGrowth),
      strategy: reader.field("strategy").optional((strategy) => strategy.oneOf(Object.keys(strategies))),
      newborn: reader.field("newborn").optional((newborn) => newborn.anyObject()),
    }),
    ...readCommon(reader, defaults),
  };
}

/** The arms of a sweep: one for each size, from scratch. */
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

/** Events, checked; a policy as it is, which the trainer checks. */
function readGrowth(reader: JsonReader): GrowthConfig {
  if (!Array.isArray(reader.value)) return reader.anyObject();
  return reader.list().map((event): GrowthEvent => {
    event.object(["width", "by", "at", "every", "until"]);
    const width = event.field("width").text();
    const by = event.field("by").whole();
    if (event.field("at").given === event.field("every").given)
      throw event.wrong("needs either `at` (a step) or `every` (steps)");
    if (event.field("at").given) {
      event.object(["width", "by", "at"]);
      return { width, by, at: event.field("at").whole(0) };
    }
    const until = event.field("until").optional((units) => units.whole());
    return { width, by, every: event.field("every").whole(), ...defined({ until }) };
  });
}
