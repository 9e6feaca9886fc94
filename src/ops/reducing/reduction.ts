import type { Dim, Shape } from "../../graph/dim.ts";
import { productOfDims } from "../../graph/dim.ts";
import { int, type ValueType } from "../../graph/model.ts";
import { givenAxes } from "../rules/axes.ts";
import { type AxisRule, input, output, type Repair, tie } from "../rules/axis-rule.ts";
import type { Contents } from "../rules/contents.ts";
import { restoreAxes, shapeOf } from "../rules/gradient.ts";
import type { Call, GradientCall, RoundingCall } from "../rules/operator.ts";
import { numbersOf, unknownSize } from "../rules/sizes.ts";

/** The axes that a reduction runs over (attribute or input), and whether they are kept with size 1. */
export function reducedAxes(call: Call): { readonly axes: readonly number[]; readonly kept: boolean } {
  const rank = call.rank(0);
  const given = givenAxes(call, 1, rank);
  const all =
    call.int("noop_with_empty_axes", 0) === 0 ? Array.from({ length: rank }, (_, axis) => axis) : [];
  return {
    axes: given === undefined || given.length === 0 ? all : given,
    kept: call.int("keepdims", 1) !== 0,
  };
}

/** The shape if the reduced axes are known only at run time: its rank is known if their number is. */
function withFedAxes(call: Call, shape: Shape): Shape {
  if (call.int("keepdims", 1) !== 0) return shape.map((_, axis) => unknownSize(call, axis));
  const [count] = call.shape(1);
  if (typeof count !== "number" || count === 0) call.unruled("the number of its axes must be known", count);
  return Array.from({ length: Math.max(0, shape.length - count) }, (_, axis) => unknownSize(call, axis));
}

/** Shape rule of the reductions. */
export function inferReduction(call: Call): readonly ValueType[] {
  const { dtype, shape } = call.input(0);
  if (call.ints("axes") === undefined && call.has(1) && numbersOf(call, 1) === undefined) {
    return [{ dtype, shape: withFedAxes(call, shape) }];
  }
  const { axes, kept } = reducedAxes(call);
  return [
    {
      dtype,
      shape: kept
        ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
        : shape.filter((_, axis) => !axes.includes(axis)),
    },
  ];
}

/** The contents of new units that leave a reduction over them unchanged, and the repairs that each needs. */
export type Accepted = { readonly [F in Contents]?: readonly Repair[] };

/** Axis-flow rule of the reductions; `verb` says what it does to an axis, e.g. "sums". */
export function flowReduction(
  verb: string,
  accepted: Accepted,
  fresh: NonNullable<AxisRule["contents"]>,
  isMean = false,
): (call: Call) => AxisRule {
  return (call) => {
    const { axes, kept } = reducedAxes(call);
    const through = call.shape(0).flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
    const refusal = { blocked: `${call.node.op} ${verb} over it, so new units would change its result` };
    return {
      ties: through.map((axis, position) => tie(input(0, axis), output(kept ? axis : position))),
      aggregates: axes.map((axis) => ({
        at: input(0, axis),
        accepts: (held) => accepted[held] ?? refusal,
        mean: isMean && axes.length === 1,
      })),
      contents: fresh,
    };
  };
}

/** A value of the reduced shape, stretched back over the reduced axes to the input's shape. */
export function stretchBack(call: GradientCall, reduced: string): string {
  const { axes, kept } = reducedAxes(call);
  if (axes.length === 0) return reduced;
  const restored = restoreAxes(
    call,
    reduced,
    [...axes].sort((a, b) => a - b),
    kept,
  );
  return call.graph.emit("Expand", [restored, shapeOf(call, call.node.inputs[0] as string)]);
}

/** `reduced` with its reduced axes put back as size 1, so that it broadcasts against the input. */
export function broadcastable(call: GradientCall, reduced: string): string {
  const { axes, kept } = reducedAxes(call);
  return restoreAxes(
    call,
    reduced,
    [...axes].sort((a, b) => a - b),
    kept,
  );
}

/** Number of elements that go into one result, as a float32 scalar. */
export function reducedCount(call: GradientCall): string {
  const { axes } = reducedAxes(call);
  const count = productOfDims(axes.map((axis) => call.shape(0)[axis] as Dim));
  if (typeof count === "number") return call.graph.scalar(count);
  const shape = call.graph.emit("Shape", [call.node.inputs[0] as string]);
  const sizes = call.graph.emit("Gather", [shape, call.graph.vector(axes)]);
  const floats = call.graph.emit("Cast", [sizes], { to: int(1) });
  return call.graph.emit("ReduceProd", [floats], { keepdims: int(0) });
}

/** The same reduction (or the one called `op`) of another tensor of the input's shape. */
export function reduceLike(call: RoundingCall, op: string, value: string): string {
  return call.graph.emit(op, [value, ...call.node.inputs.slice(1)], call.node.attributes);
}

/** FLOPs of a reduction: one per input element. */
export function flopsReduction(call: Call): Dim {
  return productOfDims(call.shape(0));
}
