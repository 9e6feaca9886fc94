import { EspalierError } from "../../tensor/errors.ts";
import { checkedRate, final, type ScheduleKind, warmup } from "./schedule-kind.ts";

export interface CosineSchedule {
  readonly kind: "cosine";
  /** Peak rate. */
  readonly rate: number;
  /** Steps of linear warm-up from rate / warmup. */
  readonly warmup: number;
  /** Steps at the peak after the warm-up. Default 0. */
  readonly hold?: number;
  /** Step at which the rate has decayed to `final`. */
  readonly steps: number;
  readonly final: number;
  /** Step at which it starts: a run that is resumed may go through another one. Default 0. */
  readonly from?: number;
}

/**
 * Linear warm-up, `hold` steps at the peak, then half a cosine down to `final` (Loshchilov & Hutter, SGDR, 2017, without
 * restarts). A network that grows early should stay at the peak until its new units have caught up.
 */
export function cosineRate(
  rate: number,
  options: {
    readonly steps: number;
    readonly warmup?: number;
    readonly hold?: number;
    readonly final?: number;
    readonly from?: number;
  },
): CosineSchedule {
  const { steps, warmup = 0, hold = 0, final = 0, from = 0 } = options;
  if (!(steps - from > warmup + hold && warmup >= 0 && hold >= 0 && from >= 0)) {
    throw new EspalierError("ARGUMENT", {
      thing: "cosineRate",
      rule: "needs more steps than its warm-up and hold take together",
      received: { steps: steps - from, warmup, hold },
    });
  }
  const start = from === 0 ? {} : { from };
  return { kind: "cosine", rate: checkedRate("cosineRate", rate), warmup, hold, steps, final, ...start };
}

const options = {
  warmup,
  hold: { default: 0, least: 0, whole: true, says: "steps at the full rate before the cosine" },
  final,
};

export const cosine: ScheduleKind<CosineSchedule, typeof options> = {
  options,
  make: (rate, given, steps) => cosineRate(rate, { ...given, steps }),
  rateAt({ rate, warmup, hold = 0, steps, final, from = 0 }, step) {
    if (step < from + warmup) return (rate * (step - from + 1)) / warmup;
    const peak = from + warmup + hold;
    const progress = Math.max(0, Math.min(1, (step - peak) / (steps - peak)));
    return final + ((rate - final) * (1 + Math.cos(Math.PI * progress))) / 2;
  },
  isOver: ({ steps, final }, step) => step >= steps && final === 0,
  // A cosine in progress is stretched to the new end, and one that is finished is followed by another.
  prolonged(schedule, step, end) {
    const { rate, warmup, steps, final } = schedule;
    if (end <= steps) return undefined;
    if (step < steps) {
      const note = `the cosine of the learning rate, which was to end at step ${steps}, now ends at step ${end}`;
      return { schedule: { ...schedule, steps: end }, note };
    }
    const next = { steps: end, final, from: step, warmup: warmup < end - step ? warmup : 0 };
    return {
      schedule: cosineRate(rate, next),
      note: `the cosine of the learning rate ended at step ${steps}: a new one goes from ${rate} at step ${step} to ${final} at step ${end}`,
    };
  },
};
