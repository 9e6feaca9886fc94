import { type AxisRule, input, output, tie } from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { elementwise } from "../rules/contents.ts";
import { scatterBack } from "../rules/gradient.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Call, Operator } from "../rules/operator.ts";

/**
 * The axes of the data, in order: `batch` axes shared with the indices, `looked` axes that are indexed, and
 * `rest`, copied whole. The indices have `lead` axes before the one that lists the positions.
 */
function axesOf(call: Call) {
  const rank = call.rank(0);
  const lead = call.rank(1) - 1;
  const batch = call.int("batch_dims", 0);
  const looked = call.shape(1)[lead];
  if (typeof looked !== "number") call.unruled("the last size of its indices must be known", call.shape(1));
  if (batch < 0 || batch > lead || looked < 1 || batch + looked > rank) {
    call.fail("its indices must fit its data", { data: call.shape(0), indices: call.shape(1) });
  }
  return { rank, lead, batch, looked };
}

function flow(call: Call): AxisRule {
  const { rank, lead, batch, looked } = axesOf(call);
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);
  const rest = range(batch + looked, rank);
  return {
    ties: [
      ...range(0, batch).map((axis) => tie(input(0, axis), output(axis))),
      ...range(0, lead).map((axis) => tie(input(1, axis), output(axis))),
      ...rest.map((axis) => tie(input(0, axis), output(axis - batch - looked + lead))),
    ],
    roles: rest.map((axis) => ({ at: input(0, axis), role: "incoming" as const })),
    blocked: [
      ...range(batch, batch + looked).map((axis) => ({
        at: input(0, axis),
        reason: "GatherND indexes it by position",
      })),
      { at: input(1, lead), reason: "each entry along it is a position on another axis" },
    ],
    // New indices of 0 look up old entries.
    contents: ([data, at]) => (at === undefined ? (data ?? "any") : elementwise([data, at])),
  };
}

/** Slices of the data at given positions of several axes. ONNX GatherND-13. */
export const gatherNd: Operator = {
  infer(call) {
    const { lead, batch, looked } = axesOf(call);
    const { dtype, shape } = call.input(0);
    return [{ dtype, shape: [...call.shape(1).slice(0, lead), ...shape.slice(batch + looked)] }];
  },
  gradient(call) {
    const [, indices] = call.node.inputs as [string, string];
    return [
      scatterBack(call, (positions) =>
        call.graph.emit("GatherND", [positions, indices], call.node.attributes),
      ),
    ];
  },
  axes: flow,
  interval: keepsInterval,
  rounding: movedBound,
  flops: () => 0,
};
