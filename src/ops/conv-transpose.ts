import { addDims, type Dim, multiplyDims, productOfDims } from "../graph/dim.ts";
import { type Attributes, int, ints, text } from "../graph/model.ts";
import { addBounds, magnitude, relativeBound, sumRoundoff, unitRoundoff } from "./bounds.ts";
import { channelColumn, convolutionFlow, kernelOf, sumToChannels } from "./conv.ts";
import { convWeightGradient } from "./conv-gradient.ts";
import { transpose } from "./gradient.ts";
import type { Call, Operator } from "./operator.ts";
import { unknownSize } from "./sizes.ts";
import { extent, spatialAxes, type Window, windowAttributes, windowOf } from "./window.ts";

/** The window of the convolution that this is the adjoint of, and how far the output reaches beyond it. */
function geometry(call: Call): { window: Window; surplus: readonly number[]; groups: number } {
  const x = call.shape(0);
  if (x.length < 3 || call.rank(1) !== x.length) {
    call.fail("X and W must have the same number of axes, at least 3", { X: x, W: call.shape(1) });
  }
  if (
    call.ints("output_shape") !== undefined ||
    !["NOTSET", "VALID"].includes(call.string("auto_pad", "NOTSET"))
  ) {
    call.unruled(
      "output_shape and auto_pad are not supported",
      call.node.attributes,
      "Give pads and output_padding.",
    );
  }
  const window = windowOf(call, kernelOf(call), x.slice(2));
  const surplus = call.ints("output_padding") ?? window.kernel.map(() => 0);
  return { window, surplus, groups: call.int("group", 1) };
}

function attributesOf(window: Window, surplus: readonly number[], groups: number): Attributes {
  return {
    ...windowAttributes(window),
    output_padding: ints(surplus),
    group: int(groups),
    auto_pad: text("NOTSET"),
  };
}

/** The adjoint of Conv in X. X [N, C, ...], W [C, M / group, ...], B [M]. ONNX ConvTranspose-11. */
export const convTranspose: Operator = {
  infer(call) {
    const { window, surplus, groups } = geometry(call);
    const [batch = 1, channels = 1] = call.shape(0);
    const [rows = 1, perGroup = 1] = call.shape(1);
    if (typeof channels === "number" && typeof rows === "number" && channels !== rows) {
      call.fail("W's first axis must be X's channels", [call.shape(0), call.shape(1)]);
    }
    const sizes = call
      .shape(0)
      .slice(2)
      .map((size, axis): Dim => {
        const padding = (window.begin[axis] as number) + (window.end[axis] as number);
        const stride = window.strides[axis] as number;
        const rest = extent(window, axis) - padding + (surplus[axis] ?? 0) - stride;
        const total = addDims(multiplyDims(size, stride), rest);
        if (typeof total === "number" && total < 1) call.fail("its output must not be empty", total);
        return typeof size === "string" && size.startsWith("unknown.") ? unknownSize(call, axis + 2) : total;
      });
    return [{ dtype: call.input(0).dtype, shape: [batch, multiplyDims(perGroup, groups), ...sizes] }];
  },

  /**
   * ONNX Runtime's kernel takes one image after another and adds its columns up on one thread. The convolution with
   * the flipped kernel is slower on one thread and, with 2 and more, faster: by a quarter to a half.
   */
  lower(call, threads) {
    const { graph, node } = call;
    const { window, surplus, groups } = geometry(call);
    const around = (pads: readonly number[]) => pads.map((pad, axis) => extent(window, axis) - 1 - pad);
    const [begin, end] = [around(window.begin), around(window.end)];
    const plain =
      groups === 1 && window.strides.every((stride) => stride === 1) && surplus.every((extra) => extra === 0);
    if (threads < 2 || !plain || [...begin, ...end].some((pad) => pad < 0)) return graph.add(node);
    const [x, weight, ...bias] = node.inputs as [string, string, string?];
    const axes = spatialAxes(call.rank(0));
    const each = (value: number) => graph.vector(axes.map(() => value));
    const flipped = graph.emit("Slice", [weight, each(-1), each(-(2 ** 40)), graph.vector(axes), each(-1)]);
    const filters = transpose(call, flipped, [1, 0, ...axes]);
    const attributes = windowAttributes({ ...window, begin, end });
    graph.add({ ...node, op: "Conv", inputs: [x, filters, ...(bias as string[])], attributes });
  },

  gradient(call) {
    const { window, surplus, groups } = geometry(call);
    const [x, weight] = call.node.inputs as [string, string];
    const upstream = call.upstream;
    if (surplus.some((extra, axis) => extra >= (window.strides[axis] as number))) {
      call.unruled("output_padding must be smaller than the strides for a gradient", surplus);
    }
    return [
      call.wants(0)
        ? call.graph.emit("Conv", [upstream, weight], { ...windowAttributes(window), group: int(groups) })
        : undefined,
      // The weight plays the same part in both directions: what was put in and what came out change places.
      call.wants(1)
        ? convWeightGradient(call, { x: upstream, upstream: x, weight, window, groups })
        : undefined,
      call.has(2) && call.wants(2) ? sumToChannels(call, upstream) : undefined,
    ];
  },

  flow: (call) => convolutionFlow(call, call.int("group", 1), { incoming: 1, outgoing: 0 }),

  rounding(call) {
    const { window, surplus, groups } = geometry(call);
    const [x, weight] = call.node.inputs as [string, string];
    const [boundX, boundW, boundB] = call.inputBounds;
    const attributes = attributesOf(window, surplus, groups);
    const product = (a: string, b: string) => call.graph.emit("ConvTranspose", [a, b], attributes);
    const summed = [0, ...window.kernel.map((_, axis) => axis + 2)];
    const own = call.graph.emit("Mul", [magnitude(call, x), sumRoundoff(call, weight, summed)]);
    const fromX = product(addBounds(call, own, boundX) as string, magnitude(call, weight));
    const left = addBounds(call, magnitude(call, x), boundX) as string;
    const fromW = boundW === undefined ? undefined : product(left, boundW);
    const last = relativeBound(call, call.node.outputs[0] as string, 2 * unitRoundoff);
    return addBounds(call, fromX, fromW, channelColumn(call, boundB, call.rank(0)), last);
  },

  flops: (call) => productOfDims([2, ...call.shape(1).slice(1), ...call.shape(0)]),
};
