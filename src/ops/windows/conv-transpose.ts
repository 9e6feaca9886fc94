import { addDims, type Dim, multiplyDims, productOfDims, type Shape } from "../../graph/dim.ts";
import { type Attributes, int, ints, text } from "../../graph/model.ts";
import { addBounds, magnitude, relativeBound, sumRoundoff, unitRoundoff } from "../rules/bounds.ts";
import { transpose } from "../rules/gradient.ts";
import { Call, type Operator } from "../rules/operator.ts";
import { unknownSize } from "../rules/sizes.ts";
import { channelColumn, convolutionFlow, kernelOf, sumToChannels } from "./conv.ts";
import { convWeightGradient } from "./conv-gradient.ts";
import { extent, spatialAxes, type Window, windowAttributes, windowOf } from "./window.ts";

/** The attributes of a call except its padding. */
function slidingOf(call: Call) {
  const x = call.shape(0);
  if (x.length < 3 || call.rank(1) !== x.length) {
    call.fail("X and W must have the same number of axes, at least 3", { X: x, W: call.shape(1) });
  }
  const kernel = kernelOf(call);
  const rank = kernel.length;
  // An output_shape may include batch and channels.
  const wanted = call.ints("output_shape")?.slice(-rank);
  const auto = call.string("auto_pad", "NOTSET");
  const strides = call.ints("strides") ?? kernel.map(() => 1);
  const same = auto === "SAME_UPPER" || auto === "SAME_LOWER";
  const sizes: Shape | undefined =
    wanted ?? (same ? x.slice(2).map((size, axis) => multiplyDims(size, strides[axis] ?? 1)) : undefined);
  return { kernel, auto, sizes };
}

/** The window of the convolution whose adjoint this is, and how far the output extends beyond it. */
function geometry(call: Call): { window: Window; surplus: readonly number[]; groups: number } {
  const { kernel, auto, sizes } = slidingOf(call);
  const spatial = call.shape(0).slice(2);
  const surplus = call.ints("output_padding") ?? kernel.map(() => 0);
  const groups = call.int("group", 1);
  if (sizes === undefined) return { window: windowOf(call, kernel, spatial), surplus, groups };
  const plain = windowOf(withoutPadding(call), kernel, spatial);
  const totals = spatial.map((size, axis) => {
    const [stride, to] = [plain.strides[axis] as number, sizes[axis]];
    if (typeof size !== "number" || typeof to !== "number") {
      return call.unruled("needs the sizes of its input to determine its padding", spatial);
    }
    const total = stride * (size - 1) + (surplus[axis] ?? 0) + extent(plain, axis) - to;
    return total >= 0 ? total : call.unruled("would need negative padding", sizes);
  });
  const less = totals.map((total) => Math.floor(total / 2));
  const more = totals.map((total, axis) => total - (less[axis] as number));
  const [begin, end] = auto === "SAME_UPPER" ? [less, more] : [more, less];
  return { window: { ...plain, begin, end }, surplus, groups };
}

/** The call without its padding, which output_shape determines instead. */
function withoutPadding(call: Call): Call {
  const { pads: _, auto_pad: __, ...attributes } = call.node.attributes;
  return new Call(
    { ...call.node, attributes },
    (name) => call.typeNamed(name),
    () => undefined,
  );
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
  bias: { input: 2, size: (call, [, channels = 1]) => channels * call.int("group", 1) },
  infer(call) {
    const { sizes: wanted } = slidingOf(call);
    const groups = call.int("group", 1);
    const [batch = 1, channels = 1] = call.shape(0);
    const [rows = 1, perGroup = 1] = call.shape(1);
    if (typeof channels === "number" && typeof rows === "number" && channels !== rows) {
      call.fail("W's first axis must be X's channels", [call.shape(0), call.shape(1)]);
    }
    const lead = [batch, multiplyDims(perGroup, groups)];
    const { dtype } = call.input(0);
    if (wanted !== undefined) return [{ dtype, shape: [...lead, ...wanted] }];
    const { window, surplus } = geometry(call);
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
    return [{ dtype, shape: [...lead, ...sizes] }];
  },

  /**
   * ONNX Runtime's kernel processes one image at a time and sums its columns on one thread. A convolution
   * with the flipped kernel is slower on one thread, but a quarter to a half faster on two or more.
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
      // The weight's gradient is that of the convolution, with input and output swapped.
      call.wants(1)
        ? convWeightGradient(call, { x: upstream, upstream: x, weight, window, groups })
        : undefined,
      call.has(2) && call.wants(2) ? sumToChannels(call, upstream) : undefined,
    ];
  },

  axes: (call) => convolutionFlow(call, call.int("group", 1), { incoming: 1, outgoing: 0 }),

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
