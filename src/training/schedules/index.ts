import { type PlainOptions, withDefaults } from "../options/option-rules.ts";
import { constant, constantRate } from "./constant.ts";
import { cosine } from "./cosine.ts";
import { oneCycle } from "./one-cycle.ts";
import type { Prolonged, ScheduleKind } from "./schedule-kind.ts";
import { step } from "./step.ts";
import { wsd } from "./wsd.ts";

export { constantRate } from "./constant.ts";
export { cosineRate } from "./cosine.ts";
export { oneCycleRate } from "./one-cycle.ts";
export { stepRate } from "./step.ts";
export { wsdRate } from "./wsd.ts";

/** The one table of schedules. */
export const schedules = { constant, cosine, step, wsd, oneCycle } as const;

export type ScheduleName = keyof typeof schedules;

/** A learning rate as a function of the step, as plain data (so that a checkpoint can store it). */
export type Schedule = ReturnType<(typeof schedules)[ScheduleName]["make"]>;

/** A schedule of the table, for a run of `steps` updates. Throws `ARGUMENT`. */
export function scheduleNamed(
  name: ScheduleName,
  rate: number,
  options: PlainOptions,
  steps: number,
): Schedule {
  const kind = schedules[name] as unknown as ScheduleKind<Schedule>;
  return kind.make(rate, withDefaults(name, kind.options, options), steps);
}

const kindOf = ({ kind }: Schedule) => schedules[kind] as unknown as ScheduleKind<Schedule>;

/** The learning rate of step `step`, counted from 0. */
export function rateAt(schedule: Schedule, step: number): number {
  return kindOf(schedule).rateAt(schedule, step);
}

/** Whether all steps from `step` on have the rate 0, such as those after a cosine that has decayed to 0. */
export function isOver(schedule: Schedule, step: number): boolean {
  return kindOf(schedule).isOver?.(schedule, step) ?? false;
}

/** The schedule of a run that continues from `step` to `end`, and what is new about it. Undefined if it need not change. */
export function prolonged(schedule: Schedule, step: number, end: number): Prolonged<Schedule> | undefined {
  return kindOf(schedule).prolonged?.(schedule, step, end);
}

/** A number is a constant rate. */
export function scheduleOf(rate: number | Schedule): Schedule {
  return typeof rate === "number" ? constantRate(rate) : rate;
}
