import { EspalierError } from "../tensor/errors.ts";

/** A learning rate as a function of the step, as plain data (so that a checkpoint holds it). */
export type Schedule =
  | { readonly kind: "constant"; readonly rate: number }
  | {
      readonly kind: "cosine";
      /** Peak rate. */
      readonly rate: number;
      /** Steps of linear warm-up from rate / warmup. */
      readonly warmup: number;
      /** Steps at the peak behind the warm-up. Default 0. */
      readonly hold?: number;
      /** Step at which the rate has come down to `final`. */
      readonly steps: number;
      readonly final: number;
    }
  | {
      readonly kind: "step";
      readonly rate: number;
      /** The rate is multiplied by `factor` every `every` steps. */
      readonly every: number;
      readonly factor: number;
    };

export function constantRate(rate: number): Schedule {
  return { kind: "constant", rate: positive("constantRate", rate) };
}

/**
 * Linear warm-up, `hold` steps at the peak, then half a cosine down to `final` (Loshchilov & Hutter, SGDR, 2017, without
 * restarts). What grows early wants the peak held until its new units have caught up.
 */
export function cosineRate(
  rate: number,
  options: {
    readonly steps: number;
    readonly warmup?: number;
    readonly hold?: number;
    readonly final?: number;
  },
): Schedule {
  const { steps, warmup = 0, hold = 0, final = 0 } = options;
  if (!(steps > warmup + hold && warmup >= 0 && hold >= 0)) {
    throw new EspalierError("ARGUMENT", {
      thing: "cosineRate",
      rule: "needs more steps than its warm-up and hold have",
      received: { steps, warmup, hold },
    });
  }
  return { kind: "cosine", rate: positive("cosineRate", rate), warmup, hold, steps, final };
}

/** The rate times `factor` after every `every` steps. */
export function stepRate(
  rate: number,
  options: { readonly every: number; readonly factor?: number },
): Schedule {
  const { every, factor = 0.1 } = options;
  if (!Number.isSafeInteger(every) || every < 1) {
    throw new EspalierError("ARGUMENT", {
      thing: "stepRate",
      rule: "`every` must be a positive whole number of steps",
      received: every,
    });
  }
  return { kind: "step", rate: positive("stepRate", rate), every, factor };
}

/** The learning rate of step `step`, counted from 0. */
export function rateAt(schedule: Schedule, step: number): number {
  switch (schedule.kind) {
    case "constant":
      return schedule.rate;
    case "step":
      return schedule.rate * schedule.factor ** Math.floor(step / schedule.every);
    case "cosine": {
      const { rate, warmup, hold = 0, steps, final } = schedule;
      if (step < warmup) return (rate * (step + 1)) / warmup;
      const peak = warmup + hold;
      const progress = Math.max(0, Math.min(1, (step - peak) / (steps - peak)));
      return final + ((rate - final) * (1 + Math.cos(Math.PI * progress))) / 2;
    }
  }
}

/** A number is a constant rate. */
export function scheduleOf(rate: number | Schedule): Schedule {
  return typeof rate === "number" ? constantRate(rate) : rate;
}

function positive(thing: string, rate: number): number {
  if (Number.isFinite(rate) && rate >= 0) return rate;
  throw new EspalierError("ARGUMENT", {
    thing,
    rule: "the learning rate must be finite and not negative",
    received: rate,
  });
}
