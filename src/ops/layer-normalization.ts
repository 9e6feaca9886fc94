import { productOfDims } from "../graph/dim.ts";
import { affineBound } from "./batch-normalization.ts";
import { type AxisRef, input, output, tie } from "./flow.ts";
import { unbroadcast } from "./gradient.ts";
import { epsilonOf, multiply, normalize, normalizedBound, normalizedGradient } from "./normalization.ts";
import type { Call, Operator } from "./operator.ts";

/** First normalised axis, and all of them. */
function axesOf(call: Call): { first: number; axes: number[] } {
  const rank = call.rank(0);
  const first = call.axis(call.int("axis", -1), rank);
  return { first, axes: Array.from({ length: rank - first }, (_, axis) => axis + first) };
}

/**
 * Y = Scale·(X - mean)/sqrt(variance + epsilon) + B, over the axes from `axis` on; outputs 1 and 2 are the mean and
 * the inverse standard deviation. ONNX LayerNormalization-17.
 */
export const layerNormalization: Operator = {
  infer(call) {
    const x = call.input(0);
    const { first } = axesOf(call);
    const normalized = x.shape.length - first;
    for (const index of call.has(2) ? [1, 2] : [1]) {
      if (
        call.rank(index) > normalized &&
        call
          .shape(index)
          .slice(0, -normalized)
          .some((dim) => dim !== 1)
      ) {
        call.fail("Scale and B must broadcast over the normalised axes", call.shape(index));
      }
    }
    const shape = x.shape.map((dim, axis) => (axis < first ? dim : 1));
    return [x, { dtype: "float32", shape }, { dtype: "float32", shape }];
  },

  gradient(call) {
    const { graph, upstream } = call;
    const { axes } = axesOf(call);
    const [x, scale] = call.node.inputs as [string, string];
    if (call.outputGradients[1] !== undefined || call.outputGradients[2] !== undefined) {
      call.fail("the loss must not depend on the mean or the deviation", call.node.outputs.slice(1));
    }
    const shift = call.has(2) && call.wants(2) ? unbroadcast(call, upstream, 2) : undefined;
    if (!call.wants(0) && !call.wants(1)) return [undefined, undefined, shift];
    const parts = normalize(call, x, axes, epsilonOf(call));
    const dX = () => normalizedGradient(call, parts, multiply(call, upstream, scale), axes);
    const dScale = () => {
      const normalized = graph.emit("Mul", [parts.centered, parts.inverse]);
      return unbroadcast(call, multiply(call, upstream, normalized), 1);
    };
    return [call.wants(0) ? dX() : undefined, call.wants(1) ? dScale() : undefined, shift];
  },

  flow(call) {
    const rank = call.rank(0);
    const { first, axes } = axesOf(call);
    const reason = "LayerNormalization over a grown axis needs the mean-padding fill";
    const affine = (index: number): AxisRef[] =>
      call.has(index) ? call.shape(index).map((_, axis) => input(index, axis)) : [];
    const refs = [...axes.flatMap((axis) => [input(0, axis), output(axis)]), ...affine(1), ...affine(2)];
    const carried = Array.from({ length: Math.min(first, rank) }, (_, axis) => axis);
    const extra = [1, 2].filter((index) => (call.node.outputs[index] ?? "") !== "");
    return {
      ties: carried.flatMap((axis) => [
        tie(input(0, axis), output(axis)),
        ...extra.map((index) => tie(input(0, axis), output(axis, index))),
      ]),
      blocked: refs.map((at) => ({ at, reason })),
    };
  },

  rounding(call) {
    const { axes } = axesOf(call);
    const [x, scale] = call.node.inputs as [string, string];
    const epsilon = epsilonOf(call);
    const parts = normalize(call, x, axes, epsilon);
    const error = normalizedBound(call, x, parts, axes, epsilon);
    return affineBound(call, multiply(call, parts.centered, parts.inverse), error, {
      scale,
      boundScale: call.inputBounds[1],
      boundShift: call.inputBounds[2],
    });
  },

  flops: (call) => productOfDims([8, ...call.output(0).shape]),
};
