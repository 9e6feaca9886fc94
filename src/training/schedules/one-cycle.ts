import { EspalierError } from "../../tensor/errors.ts";
import { checkedRate, type ScheduleKind } from "./schedule-kind.ts";

export interface OneCycleSchedule {
  readonly kind: "oneCycle";
  /** Peak rate. */
  readonly rate: number;
  /** Rate of the first step. */
  readonly first: number;
  /** Rate of the last step, and of those after it. */
  readonly last: number;
  /** The step with the peak rate; a fraction of a step counts. */
  readonly peak: number;
  readonly steps: number;
}

/**
 * One cycle (Smith & Topin, super-convergence, 2018), like `torch.optim.lr_scheduler.OneCycleLR` with cosines: from
 * rate / `divide` up to the rate within a share `rise` of the steps, then down to the first rate / `finalDivide`.
 */
export function oneCycleRate(
  rate: number,
  options: {
    readonly steps: number;
    readonly rise?: number;
    readonly divide?: number;
    readonly finalDivide?: number;
  },
): OneCycleSchedule {
  const { steps, rise = 0.3, divide = 25, finalDivide = 1e4 } = options;
  const peak = rise * steps - 1;
  if (!(peak > 0 && peak < steps - 1)) {
    throw new EspalierError("ARGUMENT", {
      thing: "oneCycleRate",
      rule: "needs at least two steps of rise and one after them",
      received: { steps, rise },
    });
  }
  const first = checkedRate("oneCycleRate", rate) / divide;
  return { kind: "oneCycle", rate, first, last: first / finalDivide, peak, steps };
}

const options = {
  rise: { default: 0.3, above: 0, below: 1, says: "the share of the steps in which the rate rises" },
  divide: { default: 25, above: 0, says: "the peak rate over the first" },
  finalDivide: { default: 1e4, above: 0, says: "the first rate over the last" },
};

/** Half a cosine from one number to another. */
const between = (from: number, to: number, share: number) =>
  to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));

export const oneCycle: ScheduleKind<OneCycleSchedule, typeof options> = {
  options,
  make: (rate, given, steps) => oneCycleRate(rate, { ...given, steps }),
  rateAt({ rate, first, last, peak, steps }, step) {
    if (step <= peak) return between(first, rate, step / peak);
    return between(rate, last, Math.min(1, (step - peak) / (steps - 1 - peak)));
  },
};
