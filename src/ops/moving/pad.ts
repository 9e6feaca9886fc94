import type { Dim } from "../../graph/dim.ts";
import { addDims } from "../../graph/dim.ts";
import type { Attributes } from "../../graph/model.ts";
import { givenAxes } from "../rules/axes.ts";
import { input, output, tie } from "../rules/flow.ts";
import { moved, summed } from "../rules/fresh.ts";
import { scatterBack } from "../rules/gradient.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import { sizesOf, unknownSize } from "../rules/sizes.ts";

/** Padding before and after each axis; undefined where it is not known. Negative padding cuts off. */
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
    // What was added before and after is cut off again.
    return [graph.emit("Pad", [call.upstream, graph.emit("Neg", [pads]), ...axes])];
  },
  flow(call) {
    const around = padding(call);
    const still = (axis: number) => around[axis]?.[0] === 0 && around[axis]?.[1] === 0;
    const axes = call.shape(0).map((_, axis) => axis);
    return {
      // A border of another number is added to all units alike.
      fresh: isConstant(call) && !padsWithZero(call) ? ([x]) => summed([x, undefined]) : moved,
      ties: axes.filter(still).map((axis) => tie(input(0, axis), output(axis))),
      blocked: axes
        .filter((axis) => !still(axis))
        .map((axis) => ({ at: input(0, axis), reason: "Pad adds a border to it", apart: true })),
    };
  },
  rounding(call) {
    const [bound] = call.inputBounds;
    if (bound === undefined) return undefined;
    const rest = call.node.inputs.slice(1).map((name, at) => (at === 1 ? "" : name));
    return call.graph.emit("Pad", [bound, ...rest], withoutValue(call));
  },
  flops: () => 0,
  raise: attributesAsInputs("pads", "value"),
};
