import type { Dim, Shape } from "../../graph/dim.ts";
import { divideDims, isConcrete } from "../../graph/dim.ts";
import { repeatLayout, unitLayout, unrepeatLayout } from "../../graph/layout.ts";
import { int, type Node } from "../../graph/model.ts";
import { type AxisRule, input, output, type Tie, tie } from "../rules/axis-rule.ts";
import { moved } from "../rules/contents.ts";
import { concatenationTies } from "../rules/folding.ts";
import { zerosLike } from "../rules/gradient.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Call, GradientCall, Operator, UpgradeCall } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import { sizesOf, unknownSize } from "../rules/sizes.ts";

function axisOf(call: Call): number {
  return call.axis(call.int("axis", 0), call.rank(0));
}

/** Sizes written in the model (input or attribute), if any. */
function written(call: Call): Shape | undefined {
  return call.ints("split") ?? sizesOf(call, 1);
}

/** Sizes of the outputs along the split axis; the last one is smaller if the axis does not divide evenly. */
function sizes(call: Call): Shape {
  const count = call.node.outputs.length;
  const total = call.shape(0)[axisOf(call)] as Dim;
  const given = written(call);
  if (given !== undefined) {
    if (given.length !== count) call.fail(`split must have ${count} sizes`, given);
    if (typeof total === "number" && given.every((size) => typeof size === "number")) {
      const sum = given.reduce((a, b) => a + b, 0);
      if (sum !== total) call.fail(`split must add up to ${total}`, given);
    }
    return given;
  }
  const unknown = () => Array.from({ length: count }, (_, index) => unknownSize(call, axisOf(call), index));
  if (call.has(1)) return unknown();
  const chunks = call.int("num_outputs", count);
  if (chunks !== count) call.fail("num_outputs must be the number of outputs", chunks);
  const even = divideDims(total, count);
  if (even !== undefined) return Array.from({ length: count }, () => even);
  if (typeof total !== "number") return unknown();
  const chunk = Math.ceil(total / count);
  return Array.from({ length: count }, (_, index) =>
    index < count - 1 ? chunk : total - chunk * (count - 1),
  );
}

function gradient(call: GradientCall): readonly (string | undefined)[] {
  const parts = call.node.outputs.map((name, index) => call.outputGradients[index] ?? zerosLike(call, name));
  return [call.graph.emit("Concat", parts, { axis: int(axisOf(call)) })];
}

/** Ties of an axis with `count` parts that grow alike. */
function evenTies(axis: number, count: number, size: Dim): readonly Tie[] {
  const alike = repeatLayout(unitLayout, count);
  const instead = typeof size === "number" ? [{ layout: alike, units: size }] : [];
  return Array.from(
    { length: count },
    (_, index): Tie => ({
      a: input(0, axis),
      b: output(axis, index),
      forward: (layout) =>
        unrepeatLayout(layout, count) ?? {
          blocked: "only parts that all grow alike can be split evenly",
          instead,
        },
      backward: (layout) => repeatLayout(layout, count),
    }),
  );
}

function flow(call: Call): AxisRule {
  const axis = axisOf(call);
  const { outputs } = call.node;
  const parts = sizes(call);
  const others = call
    .shape(0)
    .flatMap((_, at) => (at === axis ? [] : outputs.map((_, index) => tie(input(0, at), output(at, index)))));
  const given = written(call);
  // Without sizes the parts stay equal. `num_outputs` is replaced by sizes once the parts differ.
  const literal = call.int("num_outputs", 0) > 0 && isConcrete(parts) ? parts : undefined;
  const even = given === undefined && literal === undefined && !call.has(1) && new Set(parts).size === 1;
  const along = even
    ? evenTies(axis, outputs.length, parts[0] as Dim)
    : concatenationTies(
        input(0, axis),
        outputs.map((_, index) => output(axis, index)),
        parts,
      );
  const absent = literal === undefined ? {} : { absent: { values: literal, attribute: "num_outputs" } };
  const place = (element: number) =>
    call.ints("split") === undefined ? { input: 1, element, ...absent } : { attribute: "split", element };
  const numbers = (given ?? literal ?? []).flatMap((size, element) =>
    typeof size === "number" ? [{ at: output(axis, element), place: place(element) }] : [],
  );
  const picks = parts.every((size) => size === 1)
    ? outputs.map((_, index) => ({ at: input(0, axis), position: index, output: index }))
    : [];
  return { ties: [...others, ...along], written: numbers, picks, contents: moved };
}

/** Before opset 18, only the number of outputs says how many equal parts there are. */
function raise(call: UpgradeCall): Node {
  const { node } = call;
  if (call.opset >= 18 || call.has(1)) return node;
  if (call.ints("split") !== undefined) return attributesAsInputs("split")(call);
  return { ...node, attributes: { ...node.attributes, num_outputs: int(node.outputs.length) } };
}

/** Splits a tensor into parts along an axis. ONNX Split-18. */
export const split: Operator = {
  infer(call) {
    const { dtype, shape } = call.input(0);
    const axis = axisOf(call);
    return sizes(call).map((size) => ({
      dtype,
      shape: shape.map((dim, at) => (at === axis ? size : dim)),
    }));
  },
  gradient,
  axes: flow,
  interval: keepsInterval,
  rounding(call) {
    const [bound] = call.inputBounds;
    if (bound === undefined) return undefined;
    const { inputs, outputs, attributes } = call.node;
    return call.graph.emitAll("Split", [bound, ...inputs.slice(1)], outputs.length, attributes);
  },
  flops: () => 0,
  upgrade: raise,
};
