import { EspalierError } from "../../tensor/errors.ts";
import type { OptionRules, OptionsOf } from "../options/option-rules.ts";

/** A schedule of a run that is longer than the schedule was meant for, and what is new about it, in words. */
export interface Prolonged<Schedule> {
  readonly schedule: Schedule;
  readonly note: string;
}

/** A kind of schedule: the learning rate as a function of the step. Schedules are plain data, so that a checkpoint can store them. */
export interface ScheduleKind<
  Schedule extends { readonly kind: string },
  Rules extends OptionRules = OptionRules,
> {
  /** Its options besides the rate. An option whose default is not allowed must be given. */
  readonly options: Rules;
  /** For a run of `steps` updates. Throws `ARGUMENT`. */
  readonly make: (rate: number, options: OptionsOf<Rules>, steps: number) => Schedule;
  /** The rate of step `step`, counted from 0. */
  readonly rateAt: (schedule: Schedule, step: number) => number;
  /** Whether all steps from `step` on have the rate 0. Default: never. */
  readonly isOver?: (schedule: Schedule, step: number) => boolean;
  /** The schedule of a run that continues from `step` to `end`. Default: it need not change. */
  readonly prolonged?: (schedule: Schedule, step: number, end: number) => Prolonged<Schedule> | undefined;
}

/** Throws `ARGUMENT` for a rate that is not finite and at least 0. */
export function checkedRate(thing: string, rate: number): number {
  if (Number.isFinite(rate) && rate >= 0) return rate;
  throw new EspalierError("ARGUMENT", {
    thing,
    rule: "the learning rate must be finite and not negative",
    received: rate,
  });
}

/** Options that several kinds have. */
export const warmup = { default: 0, least: 0, whole: true, says: "steps of linear warm-up" };
export const final = { default: 0, least: 0, says: "the rate at the end" };
