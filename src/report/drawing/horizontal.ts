import { scaleOf } from "../../tensor/number-text.ts";
import type { RunArm, RunPoint } from "../record/run-record.ts";
import { type Axis, linearAxis } from "./axis.ts";
import { plain } from "./figures.ts";

/** A quantity that curves are drawn against. */
export interface Horizontal {
  readonly id: "steps" | "flops" | "seconds";
  readonly name: string;
  readonly value: (point: Pick<RunPoint, "step" | "flops" | "seconds">) => number;
  readonly axis: (values: readonly number[]) => Axis;
}

export const horizontals: readonly Horizontal[] = [
  { id: "steps", name: "steps", value: ({ step }) => step, axis: stepAxis },
  { id: "flops", name: "FLOPs", value: ({ flops }) => flops, axis: flopAxis },
  { id: "seconds", name: "seconds", value: ({ seconds }) => seconds, axis: secondAxis },
];

export function stepAxis(values: readonly number[]): Axis {
  return linearAxis(fromZero(values), { label: "updates (steps)", nice: false, whole: true });
}

function flopAxis(values: readonly number[]): Axis {
  const { factor, prefix } = scaleOf(largest(values));
  const label = `training compute (${prefix}FLOP)`;
  return linearAxis(fromZero(values), { label, unit: factor, nice: false });
}

function secondAxis(values: readonly number[]): Axis {
  const most = largest(values);
  const [unit, name] =
    most < 0.2 ? [1e-3, "ms"] : most < 600 ? [1, "s"] : most < 14_400 ? [60, "min"] : [3600, "h"];
  return linearAxis(fromZero(values), { label: `training time (${name})`, unit, nice: false, format: plain });
}

const largest = (values: readonly number[]) =>
  values.reduce((most, value) => (Number.isFinite(value) && value > most ? value : most), 0);

/** Includes zero, unless the values begin far from it (a resumed run). */
function fromZero(values: readonly number[]): readonly number[] {
  const least = values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  return least <= 0.3 * largest(values) ? [0, ...values] : values;
}

/** An arm's value at a step between its points, by linear interpolation; NaN if it has no points. */
export function valueAt(arm: RunArm, step: number, { value }: Horizontal): number {
  const { points } = arm;
  const next = points.findIndex((point) => point.step >= step);
  const after = next < 0 ? points.at(-1) : points[next];
  const before = next <= 0 ? after : points[next - 1];
  if (before === undefined || after === undefined) return Number.NaN;
  if (after.step <= before.step) return value(after);
  const share = Math.min(1, (step - before.step) / (after.step - before.step));
  return value(before) + share * (value(after) - value(before));
}
