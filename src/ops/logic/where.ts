import type { Dim, Shape } from "../../graph/dim.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { addBounds, stretchBound } from "../rules/bounds.ts";
import { broadcastShapes, flowBroadcast } from "../rules/broadcast.ts";
import { elementwise, moved } from "../rules/contents.ts";
import { unbroadcast } from "../rules/gradient.ts";
import { hullOfAll } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { sized, sizesOf } from "../rules/sizes.ts";

/** y = a where the condition holds, b elsewhere; broadcast. ONNX Where-16. */
export const where: Operator = {
  infer(call) {
    const shapes = [call.shape(0), call.shape(1), call.shape(2)];
    const type = { dtype: call.input(1).dtype, shape: broadcastShapes(call, shapes) };
    const [chosen, a, b] = [0, 1, 2].map((index) => sizesOf(call, index));
    if (chosen === undefined || a === undefined || b === undefined || type.shape.length > 1) return [type];
    const at = (sizes: Shape, element: number) => sizes[sizes.length === 1 ? 0 : element] as Dim;
    const length = Math.max(chosen.length, a.length, b.length);
    const picked = Array.from({ length }, (_, element) => at(at(chosen, element) === 0 ? b : a, element));
    return [sized(type, picked)];
  },
  gradient(call) {
    const condition = call.node.inputs[0] as string;
    const zero = call.graph.scalar(0);
    const kept = (index: 1 | 2) => {
      const branches = index === 1 ? [call.upstream, zero] : [zero, call.upstream];
      return unbroadcast(call, call.graph.emit("Where", [condition, ...branches]), index);
    };
    return [undefined, call.wants(1) ? kept(1) : undefined, call.wants(2) ? kept(2) : undefined];
  },
  axes: flowBroadcast([undefined, "shift", "shift"], ([condition, a, b]) =>
    condition === undefined && a !== undefined && b !== undefined
      ? moved([a, b])
      : elementwise([condition, a, b]),
  ),
  literals: { single: [1, 2] },
  interval: ([, ...branches]) => hullOfAll(branches),
  rounding(call) {
    if (!isFloat(call.output(0).dtype)) return undefined;
    const { graph } = call;
    const [condition, a, b] = call.node.inputs as [string, string, string];
    const [doubt, boundA, boundB] = call.inputBounds;
    const zero = graph.scalar(0);
    const chosen =
      boundA === undefined && boundB === undefined
        ? undefined
        : graph.emit("Where", [condition, boundA ?? zero, boundB ?? zero]);
    if (doubt === undefined) return stretchBound(call, chosen);
    // If the condition may be wrong, the other branch may be the right one.
    const distance = graph.emit("Abs", [graph.emit("Sub", [a, b])]);
    const either = addBounds(call, distance, boundA, boundB) as string;
    const unsure = graph.emit("Greater", [doubt, zero]);
    return stretchBound(call, graph.emit("Where", [unsure, either, chosen ?? zero]));
  },
};
