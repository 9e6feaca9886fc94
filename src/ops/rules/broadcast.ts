import type { Dim, Shape } from "../../graph/dim.ts";
import { productOfDims } from "../../graph/dim.ts";
import type { ValueType } from "../../graph/model.ts";
import type { AxisRule, Role } from "./axis-rule.ts";
import { input, output, tie } from "./axis-rule.ts";
import { elementwise, moved, notAtZero, steepAtZero, zeroAtZero } from "./contents.ts";
import type { Call } from "./operator.ts";

/** NumPy broadcasting over symbolic shapes. If a symbol meets a number, the number wins. */
export function broadcastShapes(call: Call, shapes: readonly Shape[]): Shape {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let size: Dim = 1;
    for (const shape of shapes) {
      const dim = shape[axis - rank + shape.length] ?? 1;
      if (dim === 1 || dim === size) continue;
      if (size === 1 || (typeof size === "string" && typeof dim === "number")) size = dim;
      else if (typeof size === "number" && typeof dim === "number") {
        call.fail("its inputs must broadcast", shapes, "Sizes on an axis must be equal or 1.");
      }
    }
    return size;
  });
}

/** Shape rule of elementwise operators on `arity` inputs: the broadcast shape, the dtype of input 0. */
export function inferBroadcast(arity: number): (call: Call) => readonly ValueType[] {
  return (call) => {
    if (Object.hasOwn(call.node.attributes, "axis")) {
      call.unruled("must broadcast as opset 7 and newer do, from the last axis", call.int("axis", 0));
    }
    const shapes = Array.from({ length: arity }, (_, index) => call.shape(index));
    return [{ dtype: call.input(0).dtype, shape: broadcastShapes(call, shapes) }];
  };
}

/** Shape rule of elementwise functions of one input. */
export function inferUnary(call: Call): readonly ValueType[] {
  const { dtype, shape } = call.input(0);
  return [{ dtype, shape }];
}

/** Axis-flow rule of elementwise functions of one input: every axis is carried through. */
export function flowUnary(call: Call): AxisRule {
  return { ties: call.shape(0).map((_, axis) => tie(input(0, axis), output(axis))) };
}

/** {@link flowUnary} for a function with f(0) = 0. */
export function flowThroughZero(call: Call): AxisRule {
  return { ...flowUnary(call), contents: zeroAtZero };
}

/** {@link flowUnary} for an operator that leaves the values unchanged, or changes all their signs. */
export function flowMoved(call: Call): AxisRule {
  return { ...flowUnary(call), contents: moved };
}

/** {@link flowUnary} for a function whose slope at zero is infinite. */
export function flowSteepAtZero(call: Call): AxisRule {
  return { ...flowUnary(call), contents: steepAtZero };
}

/** {@link flowUnary} for a function that is not finite at zero. */
export function flowNotAtZero(call: Call): AxisRule {
  return { ...flowUnary(call), contents: notAtZero };
}

/**
 * Axis-flow rule of elementwise operators on several inputs: each axis is carried through unless it is
 * broadcast. `roles`: of a parameter at each input, for a width that passes; `fresh`: the contents of new units.
 */
export function flowBroadcast(
  roles: readonly (Role | undefined)[],
  fresh: NonNullable<AxisRule["contents"]> = elementwise,
): (call: Call) => AxisRule {
  return (call) => {
    const rank = Math.max(...roles.map((_, index) => call.rank(index)));
    const sized = roles.flatMap((_, index) => {
      const lead = rank - call.rank(index);
      return call.shape(index).flatMap((dim, axis) => (dim === 1 ? [] : [{ index, axis, out: axis + lead }]));
    });
    const broadcast = (axis: number) => sized.every(({ out }) => out !== axis);
    const ones = roles.flatMap((_, index) =>
      call
        .shape(index)
        .flatMap((dim, axis) =>
          dim === 1 && broadcast(axis + rank - call.rank(index))
            ? [{ index, axis, out: axis + rank - call.rank(index) }]
            : [],
        ),
    );
    const carried = [...sized, ...ones];
    return {
      ties: carried.map(({ index, axis, out }) => tie(input(index, axis), output(out))),
      roles: carried.flatMap(({ index, axis }) => {
        const role = roles[index];
        return role === undefined ? [] : [{ at: input(index, axis), role }];
      }),
      contents: fresh,
    };
  };
}

/** FLOPs of an elementwise operator: `each` per output element. */
export function flopsElementwise(each: number): (call: Call) => Dim {
  return (call) => productOfDims([each, ...call.output(0).shape]);
}
