import { productOfDims } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import { type AxisRef, input, output, type Role, tie } from "../rules/axis-rule.ts";
import { addBounds, magnitude, relativeBound, scaleBound, unitRoundoff } from "../rules/bounds.ts";
import type { Call, GradientCall, Operator, RoundingCall } from "../rules/operator.ts";
import { attributesWithout } from "../rules/raising.ts";
import { channelColumn, sumToChannels } from "../windows/conv.ts";
import { spatialAxes } from "../windows/window.ts";
import {
  epsilonOf,
  inverseDeviation,
  multiply,
  normalize,
  normalizedBound,
  normalizedGradient,
} from "./normalization.ts";

const isTraining = (call: Call) => call.int("training_mode", 0) !== 0;
const batchAxes = (call: Call) => [0, ...spatialAxes(call.rank(0))];

/**
 * Y = scale·(X - mean)/sqrt(var + epsilon) + B for each channel. X [N, C, ...]; scale, B, mean, var [C]. In
 * training mode, mean and var are those of the batch (population variance); outputs 1 and 2 are the new
 * running statistics, through which no gradient flows: running·momentum + batch·(1 - momentum). ONNX
 * BatchNormalization-15.
 */
export const batchNormalization: Operator = {
  infer(call) {
    const x = call.input(0);
    if (x.shape.length < 2) call.fail("X needs a batch and a channel axis", x.shape);
    const channels = x.shape[1];
    for (const index of [1, 2, 3, 4]) {
      const shape = call.shape(index);
      const size = shape[0];
      if (
        shape.length !== 1 ||
        (typeof size === "number" && typeof channels === "number" && size !== channels)
      ) {
        call.fail("scale, B, mean and var must have one entry per channel", [x.shape, shape]);
      }
    }
    return isTraining(call) ? [x, call.input(3), call.input(4)] : [x];
  },

  gradient: (call) => (isTraining(call) ? trainingGradient(call) : evaluationGradient(call)),

  axes(call) {
    const roles: readonly Role[] = ["scale", "shift", "shift", "scale"];
    const channel: AxisRef[] = [input(1, 0), input(2, 0), input(3, 0), input(4, 0)];
    const running = isTraining(call) ? [1, 2].filter((index) => (call.node.outputs[index] ?? "") !== "") : [];
    return {
      // In evaluation too, because training uses batch statistics, whose variance would be zero.
      atZero: "steep",
      ties: [
        ...call.shape(0).map((_, axis) => tie(input(0, axis), output(axis))),
        ...channel.map((at) => tie(at, output(1))),
        ...running.flatMap((index) => [
          tie(input(0, 1), output(0, index)),
          tie(input(index + 2, 0), output(0, index)),
        ]),
      ],
      roles: channel.map((at, index) => ({ at, role: roles[index] as Role })),
      aggregates: (isTraining(call) ? batchAxes(call) : []).map((axis) => ({
        at: input(0, axis),
        accepts: (fresh) =>
          fresh === "copy" ? [] : { blocked: "in training it computes a mean and a variance over it" },
      })),
    };
  },

  rounding: (call) => (isTraining(call) ? trainingBound(call) : evaluationBound(call)),

  statistics: [3, 4],

  // Before opset 14 the number of outputs selects training mode; up to opset 8 each position can be
  // normalized separately.
  upgrade(call) {
    const { node } = call;
    if (call.opset >= 14) return node;
    const [y = "", ...others] = node.outputs;
    if (others.some((name) => name !== "")) {
      call.unruled(
        "must be of opset 14 or newer to train",
        node.outputs,
        "Export the model in evaluation mode.",
      );
    }
    if (call.int("spatial", 1) === 0 && call.rank(0) > 2) {
      call.unruled("must normalize channels as a whole", { spatial: 0 });
    }
    return { ...node, outputs: [y], attributes: attributesWithout(node, ["spatial", "is_test"]) };
  },

  evaluation: ({ node }) => ({
    ...node,
    outputs: node.outputs.slice(0, 1),
    attributes: attributesWithout(node, ["training_mode"]),
  }),

  train(call) {
    const { node, graph } = call;
    const attributes = { ...node.attributes, training_mode: int(1) };
    call.overSeveral(productOfDims(batchAxes(call).map((axis) => call.shape(0)[axis] ?? 1)));
    const [y = "", ...running] = graph.emitAll(node.op, node.inputs, 3, attributes, node.name);
    running.forEach((value, index) => {
      call.update(index + 3, value);
    });
    graph.add({
      name: node.name,
      op: "Identity",
      domain: "",
      inputs: [y],
      outputs: node.outputs.slice(0, 1),
      attributes: {},
    });
  },

  flops: (call) => productOfDims([isTraining(call) ? 8 : 2, ...call.output(0).shape]),
};

function column(call: GradientCall | RoundingCall, index: number): string {
  return channelColumn(call, call.node.inputs[index] as string, call.rank(0));
}

function evaluationGradient(call: GradientCall): readonly (string | undefined)[] {
  const { graph, upstream } = call;
  const [x, scale] = call.node.inputs as [string, string];
  const rank = call.rank(0);
  const inverse = inverseDeviation(call, call.node.inputs[4] as string, epsilonOf(call));
  const factor = multiply(call, scale, inverse);
  const dX = () => multiply(call, upstream, channelColumn(call, factor, rank));
  const sums = call.wants(2) || call.wants(3) ? sumToChannels(call, upstream) : undefined;
  const along =
    call.wants(1) || call.wants(4)
      ? sumToChannels(call, multiply(call, upstream, graph.emit("Sub", [x, column(call, 3)])))
      : undefined;
  const dVariance = (sum: string) =>
    multiply(
      call,
      multiply(call, sum, factor),
      multiply(call, multiply(call, inverse, inverse), graph.scalar(-0.5)),
    );
  return [
    call.wants(0) ? dX() : undefined,
    call.wants(1) ? multiply(call, along as string, inverse) : undefined,
    call.wants(2) ? sums : undefined,
    call.wants(3) ? graph.emit("Neg", [multiply(call, sums as string, factor)]) : undefined,
    call.wants(4) ? dVariance(along as string) : undefined,
  ];
}

function trainingGradient(call: GradientCall): readonly (string | undefined)[] {
  const { graph, upstream } = call;
  const x = call.node.inputs[0] as string;
  if (call.outputGradients[1] !== undefined || call.outputGradients[2] !== undefined) {
    call.unruled("the loss must not depend on the running mean or variance", call.node.outputs.slice(1));
  }
  if (!call.wants(0) && !call.wants(1)) {
    return [undefined, undefined, call.wants(2) ? sumToChannels(call, upstream) : undefined];
  }
  const axes = batchAxes(call);
  const parts = normalize(call, x, axes, epsilonOf(call));
  const squeezed = (value: string) => graph.emit("Squeeze", [value, graph.vector(axes)]);
  const dScale = () =>
    multiply(call, sumToChannels(call, multiply(call, upstream, parts.centered)), squeezed(parts.inverse));
  // The scale is the same for all elements of a channel, so it factors out of the means.
  const dX = () => multiply(call, normalizedGradient(call, parts, upstream, axes), column(call, 1));
  return [
    call.wants(0) ? dX() : undefined,
    call.wants(1) ? dScale() : undefined,
    call.wants(2) ? sumToChannels(call, upstream) : undefined,
  ];
}

function evaluationBound(call: RoundingCall): string | undefined {
  const { graph } = call;
  const x = call.node.inputs[0] as string;
  const rank = call.rank(0);
  const [boundX, boundScale, boundB, boundMean, boundVar] = call.inputBounds;
  const spread = (bound: string | undefined) => channelColumn(call, bound, rank);
  const inverse = inverseDeviation(call, column(call, 4), epsilonOf(call));
  const factor = magnitude(call, multiply(call, column(call, 1), inverse));
  const reach = graph.emit("Add", [magnitude(call, x), magnitude(call, column(call, 3))]);
  const own = addBounds(
    call,
    scaleBound(call, multiply(call, reach, factor), 12 * unitRoundoff),
    relativeBound(call, column(call, 2), 4 * unitRoundoff),
  );
  const times = (bound: string | undefined, value: string) =>
    bound === undefined ? undefined : multiply(call, bound, value);
  const wide = addBounds(call, reach, boundX, spread(boundMean)) as string;
  return addBounds(
    call,
    own,
    times(boundX, factor),
    times(spread(boundMean), factor),
    times(spread(boundScale), multiply(call, wide, inverse)),
    times(spread(boundVar), multiply(call, multiply(call, wide, factor), multiply(call, inverse, inverse))),
    spread(boundB),
  );
}

function trainingBound(call: RoundingCall): string | undefined {
  const { graph } = call;
  const x = call.node.inputs[0] as string;
  const axes = batchAxes(call);
  const epsilon = epsilonOf(call);
  const parts = normalize(call, x, axes, epsilon);
  const error = normalizedBound(call, x, parts, axes, epsilon);
  return affineBound(call, graph.emit("Mul", [parts.centered, parts.inverse]), error, {
    scale: column(call, 1),
    boundScale: channelColumn(call, call.inputBounds[1], call.rank(0)),
    boundShift: channelColumn(call, call.inputBounds[2], call.rank(0)),
  });
}

/** A bound on scale·x̂ + shift, given one on x̂. */
export function affineBound(
  call: RoundingCall,
  normalized: string,
  error: string,
  parts: { scale: string; boundScale: string | undefined; boundShift: string | undefined },
): string | undefined {
  const { graph } = call;
  const size = magnitude(call, normalized);
  const scale = magnitude(call, parts.scale);
  const own = scaleBound(call, multiply(call, size, scale), 6 * unitRoundoff);
  const fromScale =
    parts.boundScale === undefined
      ? undefined
      : multiply(call, parts.boundScale, graph.emit("Add", [size, error]));
  const last = relativeBound(call, call.node.outputs[0] as string, 2 * unitRoundoff);
  return addBounds(call, multiply(call, error, scale), own, fromScale, parts.boundShift, last);
}
