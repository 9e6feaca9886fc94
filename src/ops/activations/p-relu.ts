import { addBounds, computedBound, magnitude, stretchBound, unitRoundoff } from "../rules/bounds.ts";
import { flowBroadcast, inferBroadcast } from "../rules/broadcast.ts";
import { elementwise } from "../rules/contents.ts";
import { unbroadcast } from "../rules/gradient.ts";
import type { Operator } from "../rules/operator.ts";

/** y = x where x > 0, slope·x elsewhere; the slope is broadcast to x. ONNX PRelu-16. */
export const pRelu: Operator = {
  infer(call) {
    const [x, slope] = [call.shape(0), call.shape(1)];
    const one = slope.length === 1 ? slope[0] : 1;
    if (one !== 1 && x.length > 2 && one === x[1] && one !== x.at(-1)) {
      call.unruled("must broadcast as opset 7 and newer do, not one slope per channel", [x, slope]);
    }
    return inferBroadcast(2)(call);
  },
  gradient(call) {
    const { graph, upstream } = call;
    const [x, slope] = call.node.inputs as [string, string];
    const open = graph.emit("Greater", [x, graph.scalar(0)]);
    const sloped = () => graph.emit("Where", [open, upstream, graph.emit("Mul", [upstream, slope])]);
    const below = () => graph.emit("Where", [open, graph.scalar(0), graph.emit("Mul", [upstream, x])]);
    return [
      call.wants(0) ? unbroadcast(call, sloped(), 0) : undefined,
      call.wants(1) ? unbroadcast(call, below(), 1) : undefined,
    ];
  },
  axes: flowBroadcast([undefined, "scale"], ([x, slope]) => {
    const held = elementwise([x, slope]);
    return x === "zero" && typeof held === "string" ? "zero" : held;
  }),
  rounding(call) {
    const { graph } = call;
    const [x, slope] = call.node.inputs as [string, string];
    const [boundX, boundSlope] = call.inputBounds;
    const steepest = graph.emit("Max", [magnitude(call, slope), graph.scalar(1)]);
    const fromX = boundX === undefined ? undefined : graph.emit("Mul", [boundX, steepest]);
    const fromSlope =
      boundSlope === undefined
        ? undefined
        : graph.emit("Mul", [addBounds(call, magnitude(call, x), boundX) as string, boundSlope]);
    return stretchBound(call, addBounds(call, fromX, fromSlope, computedBound(call, unitRoundoff)));
  },
};
