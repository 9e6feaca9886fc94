import { EspalierError } from "../../tensor/errors.ts";

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
      /** Step at which it starts: a run that goes on goes through another one. Default 0. */
      readonly from?: number;
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
    readonly from?: number;
  },
): Schedule {
  const { steps, warmup = 0, hold = 0, final = 0, from = 0 } = options;
  if (!(steps - from > warmup + hold && warmup >= 0 && hold >= 0 && from >= 0)) {
    throw new EspalierError("ARGUMENT", {
      thing: "cosineRate",
      rule: "needs more steps than its warm-up and hold take together",
      received: { steps: steps - from, warmup, hold },
    });
  }
  const start = from === 0 ? {} : { from };
  return { kind: "cosine", rate: positive("cosineRate", rate), warmup, hold, steps, final, ...start };
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
      const { rate, warmup, hold = 0, steps, final, from = 0 } = schedule;
      if (step < from + warmup) return (rate * (step - from + 1)) / warmup;
      const peak = from + warmup + hold;
      const progress = Math.max(0, Math.min(1, (step - peak) / (steps - peak)));
      return final + ((rate - final) * (1 + Math.cos(Math.PI * progress))) / 2;
    }
  }
}

/** Whether all steps from `step` on have the rate 0: a cosine that has come down to it. */
export function isOver(schedule: Schedule, step: number): boolean {
  return schedule.kind === "cosine" && step >= schedule.steps && schedule.final === 0;
}

/**
 * The schedule of a run that goes on from `step` to `end`, and what is new about it, in words: a cosine that is under way
 * comes down by the new end, and one that is finished is followed by another. Undefined if it need not change.
 */
export function prolonged(
  schedule: Schedule,
  step: number,
  end: number,
): { readonly schedule: Schedule; readonly note: string } | undefined {
  if (schedule.kind !== "cosine" || end <= schedule.steps) return undefined;
  const { rate, warmup, steps, final } = schedule;
  if (step < steps) {
    const note = `the cosine of the learning rate, which was to end at step ${steps}, now ends at step ${end}`;
    return { schedule: { ...schedule, steps: end }, note };
  }
  const next = { steps: end, final, from: step, warmup: warmup < end - step ? warmup : 0 };
  return {
    schedule: cosineRate(rate, next),
    note: `the cosine of the learning rate ended at step ${steps}: a new one goes from ${rate} at step ${step} to ${final} at step ${end}`,
  };
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
