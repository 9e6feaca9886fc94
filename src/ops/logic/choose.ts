import type { Dim } from "../../graph/dim.ts";
import type { ValueType } from "../../graph/model.ts";
import { type AxisRule, input, output, type Tie, tie } from "../rules/axis-rule.ts";
import { moved } from "../rules/contents.ts";
import { hullOfAll } from "../rules/interval-rules.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { unknownSize } from "../rules/sizes.ts";

/**
 * The name of the operator, and of the attribute that gives the only branch with the rank that its readers
 * accept.
 */
export const chooseName = "Choose";
export const takenName = "taken";

/** The inputs that output `index` may be a copy of: one for each branch that can be taken. */
function branchesOf(call: Call, index: number): readonly number[] {
  const count = call.node.outputs.length;
  const taken = call.int(takenName, -1);
  return [0, 1].filter((branch) => taken < 0 || taken === branch).map((branch) => 1 + branch * count + index);
}

function infer(call: Call): readonly ValueType[] {
  return call.node.outputs.map((_, index) => {
    const [a, b = a] = branchesOf(call, index).map((at) => call.input(at)) as [ValueType, ValueType?];
    if (b === undefined || a.dtype !== b.dtype || a.shape.length !== b.shape.length) {
      return call.unruled("has a type only if both branches make tensors of one rank", [a, b]);
    }
    const shape = a.shape.map(
      (dim, axis): Dim => (dim === b.shape[axis] ? dim : unknownSize(call, axis, index)),
    );
    return { dtype: a.dtype, shape };
  });
}

function flow(call: Call): AxisRule {
  const ties: Tie[] = [];
  const carried = new Set<number>();
  call.node.outputs.forEach((_, index) => {
    for (const at of branchesOf(call, index)) {
      carried.add(at);
      call.shape(at).forEach((_, axis) => {
        ties.push(tie(input(at, axis), output(axis, index)));
      });
    }
  });
  const inputs = call.node.inputs.map((_, at) => at).slice(1);
  return {
    ties,
    // A branch that the readers cannot accept is never read.
    ends: inputs
      .filter((at) => !carried.has(at))
      .flatMap((at) => call.shape(at).map((_, axis) => input(at, axis))),
    roles: inputs.flatMap((at) =>
      call.shape(at).map((_, axis) => ({ at: input(at, axis), role: "shift" as const })),
    ),
    contents: ([, ...branches]) => moved(branches),
  };
}

/**
 * ONNX If with the nodes of its branches moved into the graph around it: output i, of n, is input 1 + i if
 * input 0 is true, else input 1 + n + i. Files contain an If instead (rewrites/nest-branches.ts), which runs
 * only the nodes of one branch. `taken`: the branch that is always taken, if any.
 */
export const choose: Operator = {
  infer,
  // The backward pass would have to run both branches, and one may not fit the inputs.
  gradient: "none",
  axes: flow,
  interval: ([, ...branches]) => hullOfAll(branches),
  rounding: (call) =>
    call.inputBounds.every((bound) => bound === undefined)
      ? undefined
      : call.unruled("has no rounding rule for the outputs of a branch", call.node.op),
  flops: () => 0,
};
