import type { Dim } from "../../graph/dim.ts";
import { addDims } from "../../graph/dim.ts";
import { type Layout, layoutSize } from "../../graph/layout.ts";
import type { Attributes } from "../../graph/model.ts";
import { givenAxes } from "../rules/axes.ts";
import {
  type AxisRule,
  type BlockedAxis,
  input,
  output,
  positionAfter,
  type Tie,
  tie,
  unitsOn,
  type Written,
} from "../rules/axis-rule.ts";
import { moved, summed } from "../rules/contents.ts";
import { partGrains, sliceLayout } from "../rules/folding.ts";
import { scatterBack } from "../rules/gradient.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import { sizesOf, unknownSize } from "../rules/sizes.ts";

/** Padding before and after each axis; undefined if it is not known. Negative padding crops. */
function padding(call: Call): readonly (readonly [Dim, Dim] | undefined)[] {
  const rank = call.rank(0);
  const pads = call.ints("pads") ?? sizesOf(call, 1);
  const axes =
    (call.has(3) ? givenAxes(call, 3, rank) : undefined) ?? Array.from({ length: rank }, (_, axis) => axis);
  return Array.from({ length: rank }, (_, axis) => {
    const at = axes.indexOf(axis);
    if (at < 0) return [0, 0];
    const [before, after] = [pads?.[at], pads?.[at + axes.length]];
    return before === undefined || after === undefined ? undefined : [before, after];
  });
}

function isConstant(call: Call): boolean {
  return call.string("mode", "constant") === "constant";
}

function padsWithZero(call: Call): boolean {
  const value = call.has(2) ? call.constant(2)?.data[0] : call.float("value", 0);
  return Number(value) === 0;
}

/** The node's attributes without opset 2's fill value. */
function withoutValue(call: Call): Attributes {
  return Object.fromEntries(Object.entries(call.node.attributes).filter(([name]) => name !== "value"));
}

/** An axis padded with zeros at its ends, e.g. the channels of a shortcut to a wider layer. */
function zeroPaddedTie(axis: number, size: number, [before, after]: readonly [number, number]): Tie {
  const parts = [before, size, after].filter((part) => part > 0);
  const fixed = (count: number): Layout => (count > 0 ? [{ fixed: count }] : []);
  return {
    a: input(0, axis),
    b: output(axis),
    forward: (layout) => [...fixed(before), ...layout, ...fixed(after)],
    backward: (layout) =>
      sliceLayout(layout, unitsOn(layout, before + size + after), before, before + size) ?? {
        blocked: "Pad would add zeros between its units",
        instead: partGrains(parts),
      },
  };
}

function flow(call: Call): AxisRule {
  const around = padding(call);
  const shape = call.shape(0);
  const isZero = isConstant(call) && padsWithZero(call);
  const inAttribute = call.ints("pads");
  const listed = (call.has(3) ? givenAxes(call, 3, shape.length) : undefined) ?? shape.map((_, axis) => axis);
  const ties: Tie[] = [];
  const blocked: BlockedAxis[] = [];
  const written: Written[] = [];
  shape.forEach((size, axis) => {
    const [before, after] = around[axis] ?? [];
    if (before === 0 && after === 0) {
      ties.push(tie(input(0, axis), output(axis)));
      return;
    }
    const isKnown = typeof size === "number" && typeof before === "number" && typeof after === "number";
    if (!isZero || !isKnown || before < 0 || after < 0) {
      blocked.push({ at: input(0, axis), reason: "Pad adds a border to it", apart: true });
      return;
    }
    ties.push(zeroPaddedTie(axis, size, [before, after]));
    const whole = before + size + after;
    const place = (element: number) =>
      inAttribute === undefined ? { input: 1, element } : { attribute: "pads", element };
    const at = output(axis);
    const element = listed.indexOf(axis);
    // New units inside the padding are zeros too; those at a border of the input belong to the input.
    written.push(
      { at, place: place(element), becomes: (layout, units) => positionAfter(layout, whole, before, units) },
      {
        at,
        place: place(element + listed.length),
        becomes: (layout, units) =>
          layoutSize(layout, units) - positionAfter(layout, whole, before + size, units),
      },
    );
  });
  return {
    ties,
    blocked,
    written,
    // A border of a nonzero constant is the same for all units.
    contents: isZero ? ([x]) => x ?? "zero" : isConstant(call) ? ([x]) => summed([x, undefined]) : moved,
  };
}

/** Adds a border of zeros, of a constant, or of the tensor's own entries. ONNX Pad-19. */
export const pad: Operator = {
  infer(call) {
    const { dtype, shape } = call.input(0);
    const around = padding(call);
    return [
      {
        dtype,
        shape: shape.map((dim, axis) => {
          const pair = around[axis];
          return pair === undefined ? unknownSize(call, axis) : addDims(dim, addDims(pair[0], pair[1]));
        }),
      },
    ];
  },
  gradient(call) {
    const { graph } = call;
    const rest = call.node.inputs.slice(1);
    if (!isConstant(call)) {
      return [
        scatterBack(call, (positions) => graph.emit("Pad", [positions, ...rest], call.node.attributes)),
      ];
    }
    const attribute = call.ints("pads");
    const pads = attribute === undefined ? (rest[0] as string) : graph.vector(attribute);
    const axes = call.has(3) ? ["", call.node.inputs[3] as string] : [];
    // Negative padding crops what was added.
    return [graph.emit("Pad", [call.upstream, graph.emit("Neg", [pads]), ...axes])];
  },
  axes: flow,
  rounding(call) {
    const [bound] = call.inputBounds;
    if (bound === undefined) return undefined;
    const rest = call.node.inputs.slice(1).map((name, at) => (at === 1 ? "" : name));
    return call.graph.emit("Pad", [bound, ...rest], withoutValue(call));
  },
  flops: () => 0,
  upgrade: attributesAsInputs("pads", "value"),
};
