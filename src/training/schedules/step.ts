import { EspalierError } from "../../tensor/errors.ts";
import { checkedRate, type ScheduleKind } from "./schedule-kind.ts";

export interface StepSchedule {
  readonly kind: "step";
  readonly rate: number;
  /** The rate is multiplied by `factor` every `every` steps. */
  readonly every: number;
  readonly factor: number;
}

/** The rate times `factor` after every `every` steps. */
export function stepRate(
  rate: number,
  options: { readonly every: number; readonly factor?: number },
): StepSchedule {
  const { every, factor = 0.1 } = options;
  if (!Number.isSafeInteger(every) || every < 1) {
    throw new EspalierError("ARGUMENT", {
      thing: "stepRate",
      rule: "`every` must be a positive whole number of steps",
      received: every,
    });
  }
  return { kind: "step", rate: checkedRate("stepRate", rate), every, factor };
}

const options = {
  every: { default: 0, least: 1, whole: true, says: "steps between two changes of the rate" },
  factor: { default: 0.1, above: 0, says: "what each change multiplies the rate by" },
};

export const step: ScheduleKind<StepSchedule, typeof options> = {
  options,
  make: (rate, given) => stepRate(rate, given),
  rateAt: ({ rate, every, factor }, step) => rate * factor ** Math.floor(step / every),
};
