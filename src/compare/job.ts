import { sha256 } from "../training/history/checkpoint.ts";
import type { NewbornOptions } from "../training/optimizers/newborn.ts";
import type { GrowthPolicy } from "../training/policy/policy.ts";
import { type Schedule, scheduleNamed } from "../training/schedules/index.ts";
import type {
  Arm,
  ArmBudget,
  Comparison,
  OptimizerConfig,
  ScheduleConfig,
  Size,
  TaskConfig,
} from "./config.ts";
import type { Widths } from "./end-size.ts";
import { defined } from "./json-reader.ts";
import type { CurvePoint } from "./statistics/curve.ts";

/** One self-contained training run: its fields determine every result except seconds. */
export interface Job {
  readonly task: TaskConfig;
  readonly seed: number;
  readonly size: Size;
  readonly optimizer: OptimizerConfig;
  readonly rate: number;
  readonly schedule: ScheduleConfig;
  readonly budget: ArmBudget;
  readonly growth?: GrowthPolicy;
  readonly newborn?: NewbornOptions;
  /** The first phase whose network it continues with. */
  readonly after?: Job;
  /** Saves the network with the best validation loss for other jobs to continue with. */
  readonly keep?: true;
}

/** The outcome of a job. */
export interface JobResult {
  readonly job: Job;
  /** Starts with the untrained network. */
  readonly curve: readonly CurvePoint[];
  readonly endedBy: "steps" | "flops" | "patience" | "divergence";
  /** Loss and metrics on the test data, of the weights with the best validation loss. */
  readonly test?: { readonly loss: number; readonly [metric: string]: number };
  /** At the end. */
  readonly widths: Widths;
  readonly parameters: number;
  readonly growths: readonly {
    readonly step: number;
    readonly width: string;
    readonly from: number;
    readonly to: number;
  }[];
}

/** 16 hexadecimal digits that depend on the job, but not on the order of its fields. */
export async function jobKey(job: Job): Promise<string> {
  const text = JSON.stringify({ version: 1, job }, sortedKeys);
  return (await sha256(new TextEncoder().encode(text))).slice(0, 16);
}

/** A replacer that sorts the fields of every object. */
export function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Steps of the run: its schedule's, if the schedule sets them. */
export function runLength({ schedule, budget }: Pick<Job, "schedule" | "budget">): number {
  return schedule.steps ?? budget.steps;
}

/** Throws `ARGUMENT` if the schedule does not fit into the steps of the run. */
export function scheduleOf(job: Pick<Job, "rate" | "schedule" | "budget">): Schedule {
  const { kind, options } = job.schedule;
  return scheduleNamed(kind, job.rate, options, runLength(job));
}

/** A point of an arm's grid. */
export interface GridPoint {
  readonly rate: number;
  readonly schedule: ScheduleConfig;
}

export function gridOf({ grid }: Arm): readonly GridPoint[] {
  return grid.schedules.flatMap((schedule) => grid.rates.map((rate) => ({ rate, schedule })));
}

export function firstJob({ first, task }: Comparison, seed: number): Job | undefined {
  if (first === undefined) return undefined;
  const { size, optimizer, rate, schedule, budget } = first;
  return { task, seed, size, optimizer, rate, schedule, budget, keep: true };
}

export function armJob(comparison: Comparison, arm: Arm, point: GridPoint, seed: number): Job {
  const { size, optimizer, budget, growth, newborn, goesOn } = arm;
  const after = goesOn ? firstJob(comparison, seed) : undefined;
  const { task } = comparison;
  return { task, seed, size, optimizer, budget, ...point, ...defined({ growth, newborn, after }) };
}
