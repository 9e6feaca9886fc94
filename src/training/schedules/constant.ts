import { checkedRate, type ScheduleKind } from "./schedule-kind.ts";

export interface ConstantSchedule {
  readonly kind: "constant";
  readonly rate: number;
}

export function constantRate(rate: number): ConstantSchedule {
  return { kind: "constant", rate: checkedRate("constantRate", rate) };
}

export const constant: ScheduleKind<ConstantSchedule> = {
  options: {},
  make: (rate) => constantRate(rate),
  rateAt: ({ rate }) => rate,
};
