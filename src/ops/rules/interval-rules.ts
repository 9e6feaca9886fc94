import type { Shape } from "../../graph/dim.ts";
import type { DType } from "../../tensor/dtype.ts";
import { anything, between, hull, type Interval, notANumber } from "./interval.ts";
import type { Call, Operator } from "./operator.ts";

export type IntervalRule = NonNullable<Operator["interval"]>;
type Inputs = Parameters<IntervalRule>[0];

/** What an operator's rule says; without one, finite entries give finite entries and others give NaN. */
export function intervalOf({ interval }: Operator, inputs: Inputs, call: Call): Interval {
  if (inputs.some((one) => one?.holds === "nan")) return notANumber;
  if (interval !== undefined) return interval(inputs, call);
  return inputs.some((one) => one?.holds === "infinite") ? notANumber : anything;
}

/** For operators that only rearrange the entries of input 0. */
export const keepsInterval: IntervalRule = ([x = anything]) => between(x.least, x.most, x.holds);

/** {@link keepsInterval} for operators that also keep their order: a maximum that gets its axes back is still one. */
export const keepsOrder: IntervalRule = ([x = anything], call) => {
  const kept = keepsInterval([x], call);
  return x.maximum === undefined ? kept : { ...kept, maximum: x.maximum };
};

/** For operators that stretch input 0: a maximum must get its axes back first, or it would land on others. */
export const stretchesInterval: IntervalRule = ([x = anything], call) =>
  (x.maximum !== undefined && sameShape(x.maximum.shape, call.shape(0)) ? keepsOrder : keepsInterval)(
    [x],
    call,
  );

/** For operators whose entries come from any of their inputs. */
export const hullOfAll = (inputs: Inputs): Interval => hull(...given(inputs));

/** The inputs that are given. */
export function given(inputs: Inputs): readonly Interval[] {
  return inputs.filter((one) => one !== undefined);
}

/** For a function of each entry that never decreases. */
export function monotone(f: (x: number) => number): IntervalRule {
  return ([x = anything]) => {
    const [least, most] = [f(x.least), f(x.most)];
    const bounded = Number.isFinite(least) && Number.isFinite(most);
    const peak = x.peak === undefined ? {} : { peak: { axes: x.peak.axes, at: f(x.peak.at) } };
    return { ...between(least, most, bounded ? "finite" : x.holds), ...peak };
  };
}

/** For operators whose outputs are between two numbers if their inputs are finite. */
export function alwaysBetween(least: number, most: number): IntervalRule {
  return (inputs) => (inputs.some((one) => one?.holds === "infinite") ? notANumber : between(least, most));
}

/** For magnitudes: lengths, sums of squares. */
export const notNegative: IntervalRule = ([x = anything]) => between(0, Number.POSITIVE_INFINITY, x.holds);

/** Whether two shapes are the same, symbols and all. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** The largest number of a floating-point type, and the smallest that it represents in full precision. */
export function limitsOf(dtype: DType): { readonly largest: number; readonly smallest: number } {
  if (dtype === "float16") return { largest: 65504, smallest: 2 ** -14 };
  if (dtype === "float64") return { largest: Number.MAX_VALUE, smallest: 2 ** -1022 };
  return { largest: 3.4e38, smallest: 2 ** -126 };
}
