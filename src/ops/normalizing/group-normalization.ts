import { type Dim, divideDims, productOfDims } from "../../graph/dim.ts";
import { type Layout, layoutSize, scaleLayout, unscaleLayout } from "../../graph/layout.ts";
import { full } from "../../tensor/tensor.ts";
import { add } from "../elementwise/add.ts";
import { mul } from "../elementwise/mul.ts";
import { reshape } from "../moving/reshape.ts";
import { unsqueeze } from "../moving/unsqueeze.ts";
import { type Blocked, type Carried, input, output, type Tie, tie } from "../rules/axis-rule.ts";
import { composed } from "../rules/composed.ts";
import { elementwise } from "../rules/contents.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { channelColumn } from "../windows/conv.ts";
import { spatialAxes } from "../windows/window.ts";
import { instanceNormalization } from "./instance-normalization.ts";

/** Number of groups and channels in each. Scale and B are per group (opset 18) or per channel (21 and later). */
function groupsOf(call: Call): { groups: number; perGroup: Dim; byGroup: boolean } {
  const groups = call.int("num_groups", 0);
  const shape = call.shape(0);
  const channels = shape[1];
  if (shape.length < 3 || channels === undefined)
    call.fail("X must be [N, C, ...] with at least one axis after C", shape);
  if (groups < 1) call.fail("num_groups must be positive", groups);
  const perGroup = divideDims(channels, groups);
  if (perGroup === undefined)
    call.fail("the number of channels must be a multiple of num_groups", [shape, groups]);
  const byGroup = call.shape(1)[0] === groups && perGroup !== 1;
  return { groups, perGroup, byGroup };
}

const rules = {
  Add: add,
  InstanceNormalization: instanceNormalization,
  Mul: mul,
  Reshape: reshape,
  Unsqueeze: unsqueeze,
};

/**
 * Y = scale·(X - mean)/sqrt(variance + epsilon) + B, with the mean and variance over one group of channels of
 * one example. X [N, C, ...]. ONNX GroupNormalization-18 and -21.
 */
export const groupNormalization: Operator = {
  infer(call) {
    const { groups, byGroup } = groupsOf(call);
    const { dtype, shape } = call.input(0);
    for (const index of [1, 2]) {
      const [size] = call.shape(index);
      const expected = byGroup ? groups : shape[1];
      if (
        call.rank(index) !== 1 ||
        (typeof size === "number" && typeof expected === "number" && size !== expected)
      ) {
        call.fail("scale and bias must have one entry per channel, or per group", [shape, call.shape(index)]);
      }
    }
    return [{ dtype, shape }];
  },

  ...composed(rules, (call) => {
    const { graph } = call;
    const { groups, byGroup } = groupsOf(call);
    const [x, scale, shift] = call.node.inputs as [string, string, string];
    const filled = (value: number) => graph.constant(`${value}:${groups}`, () => full([groups], value));
    const folded = graph.emit("Reshape", [x, graph.vector([0, groups, -1])]);
    const affine = byGroup ? [scale, shift] : [filled(1), filled(0)];
    const { epsilon } = call.node.attributes;
    const normal = graph.emit(
      "InstanceNormalization",
      [folded, ...affine],
      epsilon === undefined ? {} : { epsilon },
    );
    const back = graph.emit("Reshape", [normal, graph.emit("Shape", [x])]);
    if (byGroup) return [back];
    const rank = call.rank(0);
    const scaled = graph.emit("Mul", [back, channelColumn(call, scale, rank)]);
    return [graph.emit("Add", [scaled, channelColumn(call, shift, rank)])];
  }),

  axes(call) {
    const { groups, perGroup, byGroup } = groupsOf(call);
    const size = typeof perGroup === "number" ? perGroup : undefined;
    const refused: Blocked = {
      blocked: "GroupNormalization computes a mean and a variance over whole groups",
      ...(size === undefined ? {} : { instead: [{ layout: [{ inner: size }], units: groups }] }),
    };
    const inGroups = (layout: Layout) => (size === undefined ? undefined : unscaleLayout(layout, size));
    const whole = (layout: Layout): Carried => (inGroups(layout) === undefined ? refused : layout);
    const affine = [1, 2].map((index): Tie => {
      const at = input(index, 0);
      if (!byGroup) return tie(at, output(1));
      return {
        a: at,
        b: output(1),
        forward: (layout) => (size === undefined ? refused : scaleLayout(layout, size)),
        backward: (layout) => inGroups(layout) ?? refused,
      };
    });
    const reason =
      "GroupNormalization computes a mean and a variance over it, so new units would change both";
    return {
      ties: [
        tie(input(0, 0), output(0)),
        { a: input(0, 1), b: output(1), forward: whole, backward: whole },
        ...affine,
      ],
      roles: [
        { at: input(1, 0), role: "scale" },
        { at: input(2, 0), role: "shift" },
      ],
      blocked: spatialAxes(call.rank(0)).flatMap((axis) =>
        [input(0, axis), output(axis)].map((at) => ({ at, reason })),
      ),
      written: [
        {
          at: output(1),
          place: { attribute: "num_groups" },
          becomes: (layout, units) => layoutSize(inGroups(layout) ?? [], units),
        },
      ],
      // A group of zeros has variance 0 and stays zero: only the shift remains.
      contents: ([x, scale, shift]) => {
        const held = elementwise([x, scale, shift]);
        const nothing = shift === "zero" && (x === "zero" || scale === "zero");
        return typeof held === "string" && nothing ? "zero" : held;
      },
    };
  },

  flops: (call) => productOfDims([8, ...call.output(0).shape]),
};
