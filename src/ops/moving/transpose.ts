import { input, output, tie } from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { moved } from "../rules/contents.ts";
import { transpose as emitTranspose } from "../rules/gradient.ts";
import { constantIntegers, offsetOf, placesOf, rearranged } from "../rules/integer-folding.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Call, Operator } from "../rules/operator.ts";

/** The input axis that each output axis comes from; reversed if the attribute is absent. */
function permutation(call: Call, rank = call.rank(0)): readonly number[] {
  const perm = call.ints("perm") ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  if (perm.length !== rank || new Set(perm.map((axis) => call.axis(axis, rank))).size !== rank) {
    call.fail(`perm must be a permutation of ${rank} axes`, perm);
  }
  return perm.map((axis) => call.axis(axis, rank));
}

/** The same elements with their axes in another order. ONNX Transpose-21. */
export const transpose: Operator = {
  infer(call) {
    const { dtype, shape } = call.input(0);
    return [{ dtype, shape: permutation(call).map((axis) => shape[axis] as number | string) }];
  },
  gradient(call) {
    const inverse: number[] = [];
    permutation(call).forEach((axis, position) => {
      inverse[axis] = position;
    });
    return [emitTranspose(call, call.upstream, inverse)];
  },
  axes: (call) => ({
    ties: permutation(call).map((axis, position) => tie(input(0, axis), output(position))),
    contents: moved,
  }),
  interval: keepsInterval,
  constant(call) {
    const [from] = constantIntegers(call) ?? [];
    if (from === undefined) return undefined;
    const axes = permutation(call, from.dims.length);
    const dims = axes.map((axis) => from.dims[axis] as number);
    const offsets = placesOf(dims).map((place) =>
      offsetOf(
        from.dims.map((_, axis) => place[axes.indexOf(axis)] as number),
        from.dims,
      ),
    );
    return rearranged([from], dims, offsets);
  },
  rounding: movedBound,
  moves: true,
  flops: () => 0,
};
