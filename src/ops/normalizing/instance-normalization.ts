import { productOfDims } from "../../graph/dim.ts";
import { input, output, tie } from "../rules/axis-rule.ts";
import { elementwise } from "../rules/contents.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { channelColumn, sumToChannels } from "../windows/conv.ts";
import { spatialAxes } from "../windows/window.ts";
import { affineBound } from "./batch-normalization.ts";
import { epsilonOf, multiply, normalize, normalizedBound, normalizedGradient } from "./normalization.ts";

const axesOf = (call: Call) => spatialAxes(call.rank(0));

/**
 * Y = scale·(X - mean)/sqrt(variance + epsilon) + B, with the mean and variance over one channel of one
 * example. X [N, C, ...]; scale, B [C]. ONNX InstanceNormalization-22.
 */
export const instanceNormalization: Operator = {
  infer(call) {
    const { dtype, shape } = call.input(0);
    if (shape.length < 3) call.fail("X needs a batch, a channel and at least one more axis", shape);
    for (const index of [1, 2]) {
      const size = call.shape(index)[0];
      const differs = typeof size === "number" && typeof shape[1] === "number" && size !== shape[1];
      if (call.rank(index) !== 1 || differs) {
        call.fail("scale and B must have one entry per channel", [shape, call.shape(index)]);
      }
    }
    return [{ dtype, shape }];
  },

  gradient(call) {
    const { graph, upstream } = call;
    const [x, scale] = call.node.inputs as [string, string];
    const shift = call.wants(2) ? sumToChannels(call, upstream) : undefined;
    if (!call.wants(0) && !call.wants(1)) return [undefined, undefined, shift];
    const axes = axesOf(call);
    const parts = normalize(call, x, axes, epsilonOf(call));
    const dScale = () => {
      const normalized = graph.emit("Mul", [parts.centered, parts.inverse]);
      return sumToChannels(call, multiply(call, upstream, normalized));
    };
    const column = channelColumn(call, scale, call.rank(0));
    const dX = () => multiply(call, normalizedGradient(call, parts, upstream, axes), column);
    return [call.wants(0) ? dX() : undefined, call.wants(1) ? dScale() : undefined, shift];
  },

  axes(call) {
    const reason =
      "InstanceNormalization computes a mean and a variance over it, so new units would change both";
    return {
      ties: [
        tie(input(0, 0), output(0)),
        ...[input(0, 1), input(1, 0), input(2, 0)].map((at) => tie(at, output(1))),
      ],
      roles: [
        { at: input(1, 0), role: "scale" },
        { at: input(2, 0), role: "shift" },
      ],
      blocked: axesOf(call).flatMap((axis) => [input(0, axis), output(axis)].map((at) => ({ at, reason }))),
      // A channel of zeros has variance 0 and stays zero: only the shift remains.
      contents: ([x, scale, shift]) => {
        const held = elementwise([x, scale, shift]);
        const nothing = shift === "zero" && (x === "zero" || scale === "zero");
        return typeof held === "string" && nothing ? "zero" : held;
      },
    };
  },

  rounding(call) {
    const [x, scale] = call.node.inputs as [string, string];
    const axes = axesOf(call);
    const epsilon = epsilonOf(call);
    const rank = call.rank(0);
    const parts = normalize(call, x, axes, epsilon);
    const error = normalizedBound(call, x, parts, axes, epsilon);
    return affineBound(call, multiply(call, parts.centered, parts.inverse), error, {
      scale: channelColumn(call, scale, rank),
      boundScale: channelColumn(call, call.inputBounds[1], rank),
      boundShift: channelColumn(call, call.inputBounds[2], rank),
    });
  },

  flops: (call) => productOfDims([8, ...call.output(0).shape]),
};
