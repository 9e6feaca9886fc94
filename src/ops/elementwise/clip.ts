import { isFloat } from "../../tensor/dtype.ts";
import { addBounds } from "../rules/bounds.ts";
import { flowThroughZero, flowUnary, inferUnary } from "../rules/broadcast.ts";
import { anything, between, hull, type Interval } from "../rules/interval.ts";
import type { Call, GradientCall, Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";

/** The limits: scalar inputs 1 and 2 (newer opsets) or attributes (opset 6); undefined if there is none. */
function limits(call: GradientCall): { least: string | undefined; most: string | undefined } {
  const attribute = (name: string) =>
    Object.hasOwn(call.node.attributes, name) ? call.graph.scalar(call.float(name, 0)) : undefined;
  return {
    least: call.has(1) ? call.node.inputs[1] : attribute("min"),
    most: call.has(2) ? call.node.inputs[2] : attribute("max"),
  };
}

/** Whether 0 is known to be within the limits. */
function keepsZero(call: Call): boolean {
  const limit = (index: number, name: string, otherwise: number) =>
    call.has(index) ? Number(call.constant(index)?.data[0]) : call.float(name, otherwise);
  return limit(1, "min", -1) <= 0 && limit(2, "max", 1) >= 0;
}

/** y = min(max(x, least), most); the derivative is 1 at the limits themselves, as in PyTorch. ONNX Clip-13. */
export const clip: Operator = {
  infer: inferUnary,
  gradient(call) {
    const { graph } = call;
    const x = call.node.inputs[0] as string;
    const { least, most } = limits(call);
    const zero = graph.scalar(0);
    const where = (condition: string, open = call.upstream) => graph.emit("Where", [condition, open, zero]);
    const low = least === undefined ? undefined : graph.emit("GreaterOrEqual", [x, least]);
    const high = most === undefined ? undefined : graph.emit("LessOrEqual", [x, most]);
    const inside = low && high ? graph.emit("And", [low, high]) : (low ?? high);
    // If the limits cross, the upper one wins in ONNX.
    const sum = (gradient: string) => graph.emit("ReduceSum", [gradient], {});
    const scalar = (gradient: string) => graph.emit("Reshape", [sum(gradient), graph.vector([])]);
    const fromLeast = () => {
      const below = graph.emit("Less", [x, least as string]);
      const ordered = most === undefined ? undefined : graph.emit("Less", [least as string, most]);
      return scalar(where(ordered === undefined ? below : graph.emit("And", [below, ordered])));
    };
    const fromMost = () => {
      const above = graph.emit("Greater", [x, most as string]);
      const crossed = least === undefined ? undefined : graph.emit("Greater", [least, most as string]);
      return scalar(where(crossed === undefined ? above : graph.emit("Or", [above, crossed])));
    };
    return [
      call.wants(0) ? (inside === undefined ? call.upstream : where(inside)) : undefined,
      call.has(1) && call.wants(1) ? fromLeast() : undefined,
      call.has(2) && call.wants(2) ? fromMost() : undefined,
    ];
  },
  axes: (call) => (keepsZero(call) ? flowThroughZero : flowUnary)(call),
  clamps: true,
  interval([x = anything, low, high], call) {
    const limit = (given: Interval | undefined, name: string, otherwise: number) =>
      given ?? between(call.float(name, otherwise), call.float(name, otherwise));
    const min = limit(low, "min", Number.NEGATIVE_INFINITY);
    const max = limit(high, "max", Number.POSITIVE_INFINITY);
    const least = Math.min(Math.max(x.least, min.least), max.least);
    const most = Math.min(Math.max(x.most, min.most), max.most);
    return between(
      least,
      most,
      Number.isFinite(least) && Number.isFinite(most) ? "finite" : hull(x, min, max).holds,
    );
  },
  rounding: (call) => (isFloat(call.output(0).dtype) ? addBounds(call, ...call.inputBounds) : undefined),
  upgrade: attributesAsInputs("min", "max"),
};
