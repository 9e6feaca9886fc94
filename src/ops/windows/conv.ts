import type { Shape } from "../../graph/dim.ts";
import { multiplyDims, productOfDims } from "../../graph/dim.ts";
import { type Layout, sameLayout, unitLayout, untouched } from "../../graph/layout.ts";
import { int } from "../../graph/model.ts";
import { type AxisRule, type Grain, input, output, type Tie, tie } from "../rules/axis-rule.ts";
import { addBounds, magnitude, relativeBound, sumRoundoff, unitRoundoff } from "../rules/bounds.ts";
import { affine } from "../rules/contents.ts";
import type { Call, GradientCall, Operator } from "../rules/operator.ts";
import { convWeightGradient } from "./conv-gradient.ts";
import { unfoldConv } from "./conv-unfold.ts";
import {
  adjointAttributes,
  paddedWindow,
  spatialAxes,
  type Window,
  windowAttributes,
  windowedSize,
  windowOf,
} from "./window.ts";

type GraphOf = Pick<GradientCall, "graph">;

/** The kernel's sizes: from the attribute, else from the weight. */
export function kernelOf(call: Call): readonly number[] {
  const given = call.ints("kernel_shape");
  const sizes = call.shape(1).slice(2);
  if (given === undefined) {
    if (sizes.every((size): size is number => typeof size === "number")) return sizes;
    call.unruled("needs kernel_shape if the weight's kernel sizes are not known", sizes);
  }
  if (
    sizes.length !== given.length ||
    sizes.some((size, axis) => typeof size === "number" && size !== given[axis])
  ) {
    call.fail("kernel_shape must match the weight", { kernel_shape: given, weight: call.shape(1) });
  }
  return given;
}

function geometry(call: Call): { window: Window; groups: number; spatial: Shape } {
  const x = call.shape(0);
  const w = call.shape(1);
  if (x.length < 3 || w.length !== x.length) {
    call.fail("X and W must have the same number of axes, at least 3", { X: x, W: w });
  }
  const groups = call.int("group", 1);
  if (groups < 1) call.fail("group must be positive", groups);
  const spatial = x.slice(2);
  return { window: windowOf(call, kernelOf(call), spatial), groups, spatial };
}

/** Y = X * W + B over 1, 2, 3 spatial axes. X [N, C, ...], W [M, C / group, ...], B [M]. ONNX Conv-11. */
export const conv: Operator = {
  bias: { input: 2, size: (_, [channels = 1]) => channels },
  infer(call) {
    const { window, groups, spatial } = geometry(call);
    const [batch, channels] = call.shape(0) as [Shape[0], Shape[0]];
    const [filters, perGroup] = call.shape(1) as [Shape[0], Shape[0]];
    const expected = multiplyDims(perGroup, groups);
    if (typeof channels === "number" && typeof expected === "number" && channels !== expected) {
      call.fail("W's second axis must be X's channels divided by group", [call.shape(0), call.shape(1)]);
    }
    if (typeof filters === "number" && filters % groups !== 0) {
      call.fail("the number of filters must be a multiple of group", filters);
    }
    if (call.has(2)) {
      const bias = call.shape(2);
      const size = bias[0];
      if (bias.length !== 1 || (typeof size === "number" && typeof filters === "number" && size !== filters))
        call.fail("B must have one entry per filter", bias);
    }
    const sizes = spatial.map((size, axis) => windowedSize(call, size, axis, window, false));
    return [{ dtype: call.input(0).dtype, shape: [batch, filters, ...sizes] }];
  },

  gradient(call) {
    const { groups, spatial, ...sliding } = geometry(call);
    const window = paddedWindow(call, sliding.window);
    const [x, weight] = call.node.inputs as [string, string];
    const upstream = call.upstream;
    const dX = () =>
      call.graph.emit("ConvTranspose", [upstream, weight], {
        ...adjointAttributes(call, window, spatial, call.graph.typeOf(upstream).shape.slice(2)),
        group: int(groups),
      });
    return [
      call.wants(0) ? dX() : undefined,
      call.wants(1) ? convWeightGradient(call, { x, upstream, weight, window, groups }) : undefined,
      call.has(2) && call.wants(2) ? sumToChannels(call, upstream) : undefined,
    ];
  },

  axes(call) {
    const groups = call.int("group", 1);
    return convolutionFlow(call, groups, { incoming: 0, outgoing: 1 });
  },

  rounding(call) {
    const { window, groups } = geometry(call);
    const [x, weight] = call.node.inputs as [string, string];
    const [boundX, boundW, boundB] = call.inputBounds;
    const attributes = { ...windowAttributes(window), group: int(groups) };
    const product = (a: string, b: string) => call.graph.emit("Conv", [a, b], attributes);
    const summed = Array.from({ length: call.rank(1) - 1 }, (_, axis) => axis + 1);
    const own = call.graph.emit("Mul", [magnitude(call, x), sumRoundoff(call, weight, summed)]);
    const fromX = product(addBounds(call, own, boundX) as string, magnitude(call, weight));
    const left = boundX === undefined ? magnitude(call, x) : addBounds(call, magnitude(call, x), boundX);
    const fromW = boundW === undefined ? undefined : product(left as string, boundW);
    const last = relativeBound(call, call.node.outputs[0] as string, 2 * unitRoundoff);
    return addBounds(call, fromX, fromW, channelColumn(call, boundB, call.rank(0)), last);
  },

  unfold(call) {
    const { window, groups } = geometry(call);
    if (groups > 1) call.unruled("can be unfolded only without groups", { group: groups });
    return unfoldConv(call, paddedWindow(call, window));
  },

  flops: (call) => productOfDims([2, ...call.shape(1).slice(1), ...call.output(0).shape]),
};

/** Sums [N, C, ...] to [C]. */
export function sumToChannels(call: GraphOf, value: string): string {
  const rank = call.graph.typeOf(value).shape.length;
  return call.graph.emit("ReduceSum", [value, call.graph.vector([0, ...spatialAxes(rank)])], {
    keepdims: int(0),
  });
}

/** A vector over channels [C] as [C, 1, ...], to broadcast against [N, C, ...] of `rank` axes. */
export function channelColumn<T extends string | undefined>(call: GraphOf, vector: T, rank: number): T {
  if (vector === undefined || rank <= 2) return vector;
  const axes = Array.from({ length: rank - 2 }, (_, axis) => axis + 1);
  return call.graph.emit("Unsqueeze", [vector, call.graph.vector(axes)]) as T;
}

/** Axis flow of Conv and ConvTranspose, which differ in the weight axis that makes the output channels. */
export function convolutionFlow(
  call: Call,
  groups: number,
  axes: { readonly incoming: 0 | 1; readonly outgoing: 0 | 1 },
): AxisRule {
  const bias = call.has(2);
  const spatial = spatialAxes(call.rank(0));
  const window = "a spatial axis of a convolution cannot grow: its window slides over it";
  const kernel = "the kernel size of a convolution is an attribute and cannot grow";
  const blocked = spatial.flatMap((axis) => [
    { at: input(0, axis), reason: window },
    { at: input(1, axis), reason: kernel },
    { at: output(axis), reason: window },
  ]);
  const batch = tie(input(0, 0), output(0));
  if (groups > 1) return { ...groupedFlow(call, groups, axes), blocked };
  return {
    ties: [
      batch,
      tie(input(0, 1), input(1, axes.outgoing)),
      tie(input(1, axes.incoming), output(1)),
      ...(bias ? [tie(input(2, 0), output(1))] : []),
    ],
    roles: [
      { at: input(1, axes.incoming), role: "incoming" },
      { at: input(1, axes.outgoing), role: "outgoing" },
      ...(bias ? [{ at: input(2, 0), role: "shift" as const }] : []),
    ],
    blocked,
    contents: affine(bias),
    unit: "channel",
  };
}

/**
 * Flow of the channels of a grouped convolution: C inputs and M outputs in G groups. They grow by whole
 * groups, inputs and outputs together, or by one input or output in every group. In a depthwise convolution
 * (C = G), each channel is a group.
 */
function groupedFlow(
  call: Call,
  groups: number,
  axes: { readonly incoming: 0 | 1; readonly outgoing: 0 | 1 },
): AxisRule {
  const bias = call.has(2);
  const from = call.shape(0)[1];
  const to = call.output(0).shape[1];
  const batch = tie(input(0, 0), output(0));
  const perInput = typeof from === "number" ? from / groups : 0;
  const perOutput = typeof to === "number" ? to / groups : 0;
  const inEach: Layout = Array.from({ length: groups }, () => ({ inner: 1 }));
  const byGroup = (per: number): Grain => ({ layout: [{ inner: per }], units: groups });
  // One axis of ConvTranspose's weight lists the inputs of all groups, so they grow only by whole groups.
  const transposed = axes.incoming === 1;
  const grains = (per: number, inEvery: boolean): readonly Grain[] =>
    per > 1 && inEvery ? [byGroup(per), { layout: inEach, units: per }] : [byGroup(per)];
  const refuse = (per: number, inEvery = true) => ({
    blocked: `its channels are in ${groups} groups`,
    instead: grains(per, inEvery),
  });
  // Weight axis 0 lists the outputs (Conv) or inputs (ConvTranspose) of all groups; axis 1 lists the other
  // kind, of one group.
  const whole = axes.incoming === 0 ? output(1) : input(0, 1);
  const [perWhole, perOther] = axes.incoming === 0 ? [perOutput, perInput] : [perInput, perOutput];
  const other = axes.incoming === 0 ? input(0, 1) : output(1);
  const asGroups = (layout: Layout, per: number, result: number): Layout | undefined =>
    per > 0 && sameLayout(layout, [{ inner: per }]) ? [{ inner: result }] : undefined;
  const both: Tie = {
    a: input(0, 1),
    b: output(1),
    forward: (layout) =>
      asGroups(layout, perInput, perOutput) ??
      (sameLayout(layout, inEach) && !transposed ? untouched : refuse(perInput, !transposed)),
    backward: (layout) =>
      asGroups(layout, perOutput, perInput) ?? (sameLayout(layout, inEach) ? untouched : refuse(perOutput)),
  };
  const inEveryGroup: Tie = {
    a: other,
    b: input(1, 1),
    forward: (layout) =>
      perOther > 1 && sameLayout(layout, inEach)
        ? unitLayout
        : asGroups(layout, perOther, 1) === undefined
          ? refuse(perOther)
          : untouched,
    backward: (layout) =>
      sameLayout(layout, unitLayout) ? inEach : { blocked: "its channels are in groups" },
  };
  return {
    ties: [
      batch,
      both,
      inEveryGroup,
      tie(input(1, 0), whole),
      ...(transposed ? [{ ...both, a: input(1, 0) }] : []),
      ...(bias ? [tie(input(2, 0), output(1))] : []),
    ],
    roles: [
      { at: input(1, axes.incoming), role: "incoming" },
      // New whole groups make new outputs; a new channel in every group is summed over.
      { at: input(1, axes.outgoing), role: axes.outgoing === 1 ? "outgoing" : "incoming" },
      ...(bias ? [{ at: input(2, 0), role: "shift" as const }] : []),
    ],
    written: [
      {
        at: input(0, 1),
        place: { attribute: "group" },
        becomes: (layout, units) => (asGroups(layout, perInput, 1) === undefined ? groups : units),
      },
    ],
    contents: affine(bias),
    unit: perWhole > 1 ? "group" : "channel",
  };
}
