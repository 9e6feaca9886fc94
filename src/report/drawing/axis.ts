import { scaleLinear, scaleLog } from "d3-scale";
import { plain } from "./figures.ts";

export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** One axis of a chart: its values, its ticks and what it shows. */
export interface Axis {
  /** What is shown, with its unit. */
  readonly label: string;
  /** Position of a value: 0 at the low end, 1 at the high end; NaN if it cannot be shown. */
  readonly place: (value: number) => number;
  readonly ticks: readonly Tick[];
}

export interface LinearAxisOptions {
  readonly label: string;
  /** Formats a tick. Default {@link plain}. */
  readonly format?: (value: number) => string;
  /** Ticks are whole multiples of this. Default 1. */
  readonly unit?: number;
  /** Widen the ends to round numbers. Default true. */
  readonly nice?: boolean;
  /** Ends that widening must not pass. */
  readonly limits?: readonly [number, number];
  /** Only whole numbers get a tick. Default false. */
  readonly whole?: boolean;
  /** About how many ticks. Default 5. */
  readonly ticks?: number;
}

/** A linear axis over the finite values among `values`. */
export function linearAxis(values: readonly number[], options: LinearAxisOptions): Axis {
  const { label, format = plain, unit = 1, nice = true, limits, whole = false, ticks = 5 } = options;
  let [low, high] = extent(values) ?? [0, 1];
  // A single value spans no length.
  if (low === high) [low, high] = low === 0 ? [0, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
  const scale = scaleLinear([low / unit, high / unit], [0, 1]);
  if (nice) scale.nice(ticks);
  if (limits !== undefined) {
    const [start, end] = scale.domain() as [number, number];
    scale.domain([Math.max(start, limits[0] / unit), Math.min(end, limits[1] / unit)]);
  }
  return {
    label,
    place: (value) => (Number.isFinite(value) ? scale(value / unit) : Number.NaN),
    ticks: scale
      .ticks(ticks)
      .filter((tick) => !whole || Number.isInteger(tick))
      .map((tick) => ({ value: tick * unit, label: format(tick) })),
  };
}

/** A logarithmic axis over the positive values among `values`. */
export function logAxis(values: readonly number[], options: { readonly label: string }): Axis {
  const [low, high] = extent(values.filter((value) => value > 0)) ?? [0.1, 1];
  const [start, end] = low === high ? [low / 2, high * 2] : [low, high];
  const scale = scaleLog([start * 0.9, end * 1.1], [0, 1]);
  return {
    label: options.label,
    place: (value) => (Number.isFinite(value) && value > 0 ? scale(value) : Number.NaN),
    ticks: logTicks(start * 0.9, end * 1.1),
  };
}

/** Powers of ten, with 2 and 5 between them where there is room; at most eight. */
function logTicks(low: number, high: number): readonly Tick[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  for (const [mantissas, stride] of [[[1, 2, 5], 1] as const, [[1], 1] as const, [[1], 3] as const]) {
    const ticks: Tick[] = [];
    for (let exponent = Math.ceil(first / stride) * stride; exponent <= last; exponent += stride) {
      for (const mantissa of mantissas) {
        // Through text, because 10 ** -3 * 5 is not 0.005.
        const value = Number(`${mantissa}e${exponent}`);
        if (value >= low && value <= high) ticks.push({ value, label: plain(value) });
      }
    }
    if (ticks.length <= 8 || stride === 3) return ticks;
  }
  return [];
}

/** Whether values are better seen on a logarithmic axis: all positive, over more than 1.5 decades. */
export function spansDecades(values: readonly number[]): boolean {
  const range = extent(values);
  return range !== undefined && range[0] > 0 && range[1] / range[0] > 10 ** 1.5;
}

/** The least and greatest finite values; undefined if there are none. */
export function extent(values: readonly number[]): [number, number] | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : undefined;
}
