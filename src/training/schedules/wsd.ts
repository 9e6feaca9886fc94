import { EspalierError } from "../../tensor/errors.ts";
import { checkedRate, final, type ScheduleKind, warmup } from "./schedule-kind.ts";

export interface WsdSchedule {
  readonly kind: "wsd";
  readonly rate: number;
  readonly warmup: number;
  /** Steps of the linear decay at the end. */
  readonly decay: number;
  /** Step at which the rate has decayed to `final`. */
  readonly steps: number;
  readonly final: number;
}

/**
 * Warm-up, stable, decay (Hu et al., MiniCPM, 2024): linear warm-up, the full rate, and over the last `share` of the steps
 * linear decay to `final`. Until the decay has begun the run may be made longer at no cost, which suits networks that grow.
 */
export function wsdRate(
  rate: number,
  options: {
    readonly steps: number;
    readonly warmup?: number;
    readonly share?: number;
    readonly final?: number;
  },
): WsdSchedule {
  const { steps, warmup = 0, share = 0.2, final = 0 } = options;
  const decay = Math.round(share * steps);
  if (!(warmup >= 0 && decay >= 0 && warmup + decay <= steps)) {
    throw new EspalierError("ARGUMENT", {
      thing: "wsdRate",
      rule: "needs at least as many steps as its warm-up and decay together",
      received: { steps, warmup, decay },
    });
  }
  return { kind: "wsd", rate: checkedRate("wsdRate", rate), warmup, decay, steps, final };
}

const options = {
  warmup,
  share: { default: 0.2, least: 0, most: 1, says: "the share of the steps in which the rate comes down" },
  final,
};

export const wsd: ScheduleKind<WsdSchedule, typeof options> = {
  options,
  make: (rate, given, steps) => wsdRate(rate, { ...given, steps }),
  rateAt({ rate, warmup, decay, steps, final }, step) {
    if (step < warmup) return (rate * (step + 1)) / warmup;
    if (step < steps - decay) return rate;
    return final + (rate - final) * Math.max(0, (steps - step) / decay);
  },
  isOver: ({ decay, steps, final }, step) => decay > 0 && step >= steps && final === 0,
  prolonged(schedule, step, end) {
    const { decay, steps } = schedule;
    if (end <= steps) return undefined;
    const begun = step > steps - decay ? ", after a decay that had begun" : "";
    return {
      schedule: { ...schedule, decay: Math.min(decay, end - step), steps: end },
      note: `the learning rate, which was to come down by step ${steps}, is now at its full value until step ${end - Math.min(decay, end - step)}${begun}`,
    };
  },
};
