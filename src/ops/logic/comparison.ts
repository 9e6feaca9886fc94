import type { ValueType } from "../../graph/model.ts";
import { int } from "../../graph/model.ts";
import { addBounds, stretchBound } from "../rules/bounds.ts";
import { broadcastShapes, flowBroadcast } from "../rules/broadcast.ts";
import type { Call, Operator, RoundingCall } from "../rules/operator.ts";

/** Shape rule of operators with `arity` inputs and a boolean output. */
export function inferBool(arity: number): (call: Call) => readonly ValueType[] {
  return (call) => {
    const shapes = Array.from({ length: arity }, (_, index) => call.shape(index));
    return [{ dtype: "bool", shape: broadcastShapes(call, shapes) }];
  };
}

/** 1 where the operands are too close for a certain answer, 0 elsewhere. */
function uncertain(call: RoundingCall): string | undefined {
  const bound = addBounds(call, ...call.inputBounds);
  if (bound === undefined) return undefined;
  const [a, b] = call.node.inputs as [string, string];
  const distance = call.graph.emit("Abs", [call.graph.emit("Sub", [a, b])]);
  const close = call.graph.emit("LessOrEqual", [distance, bound]);
  return stretchBound(call, call.graph.emit("Cast", [close], { to: int(1) }));
}

/** Rules of an operator that compares two inputs, broadcast. The bound of its answer is 1 where it may be wrong. */
export const comparison: Operator = {
  infer: inferBool(2),
  gradient: "none",
  axes: flowBroadcast(["shift", "shift"]),
  rounding: uncertain,
};

/** Rules of a logical operator: its output may be wrong wherever one of its operands may be. */
export function logical(arity: number): Operator {
  return {
    infer: inferBool(arity),
    gradient: "none",
    axes: flowBroadcast(Array.from({ length: arity }, () => "shift")),
    rounding: (call) => stretchBound(call, addBounds(call, ...call.inputBounds)),
  };
}
