import type { Dim } from "../../graph/dim.ts";
import { productOfDims } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { float32 } from "../../tensor/tensor.ts";
import { type AxisRule, input, output, tie } from "../rules/axis-rule.ts";
import { addBounds, computedBound, magnitude, unitRoundoff } from "../rules/bounds.ts";
import { codeOfDtype } from "../rules/element-types.ts";
import type { Call, GraphCall, Operator } from "../rules/operator.ts";

/** One number for all features, or one for each. */
function numbers(call: Call, name: "offset" | "scale"): readonly number[] {
  const given = call.floats(name);
  const count = call.floats("offset")?.length;
  const features = call.shape(0).at(-1) as Dim;
  if (call.rank(0) < 1 || call.rank(0) > 2)
    call.fail("its input must be [features] or [batch, features]", call.shape(0));
  if (given === undefined || given.length === 0) call.fail(`attribute ${name} is required`, "nothing");
  const fits = given.length === 1 || typeof features === "string" || given.length === features;
  if (!fits || given.length !== count) {
    call.fail("it must have one offset and one scale, or one of each per feature", {
      [name]: given.length,
      features,
    });
  }
  return given;
}

const constant = ({ graph }: Pick<GraphCall, "graph">, values: readonly number[]) =>
  graph.constant(`scaler ${values}`, () => float32([values.length], values));

/** Input 0 as float32, which the operator computes in. */
function single(call: Call & Pick<GraphCall, "graph">): string {
  const x = call.node.inputs[0] as string;
  return call.input(0).dtype === "float32" ? x : call.graph.emit("Cast", [x], { to: int(1) });
}

/** y = (x − offset) · scale, feature by feature: what scikit-learn's StandardScaler becomes. ai.onnx.ml Scaler-1. */
export const scaler: Operator = {
  infer(call) {
    numbers(call, "offset");
    numbers(call, "scale");
    return [{ dtype: "float32", shape: call.shape(0) }];
  },
  gradient(call) {
    const { dtype } = call.input(0);
    if (!isFloat(dtype)) return [undefined];
    const scaled = call.graph.emit("Mul", [call.upstream, constant(call, numbers(call, "scale"))]);
    return [
      dtype === "float32" ? scaled : call.graph.emit("Cast", [scaled], { to: int(codeOfDtype(dtype)) }),
    ];
  },
  axes(call): AxisRule {
    const last = call.rank(0) - 1;
    const each = numbers(call, "offset").length > 1;
    const reason = "the Scaler has one number for each feature";
    return {
      ties: call
        .shape(0)
        .flatMap((_, axis) => (each && axis === last ? [] : [tie(input(0, axis), output(axis))])),
      blocked: each ? [input(0, last), output(last)].map((at) => ({ at, reason })) : [],
    };
  },
  rounding(call) {
    const { graph } = call;
    const scales = constant(call, numbers(call, "scale").map(Math.abs));
    const rounded =
      call.input(0).dtype === "float32"
        ? undefined
        : graph.emit("Mul", [magnitude(call, single(call)), graph.scalar(unitRoundoff)]);
    const carried = addBounds(call, call.inputBounds[0], rounded);
    return addBounds(
      call,
      carried === undefined ? undefined : graph.emit("Mul", [carried, scales]),
      computedBound(call, 4 * unitRoundoff),
    );
  },
  flops: (call) => productOfDims([2, ...call.shape(0)]),
  // Compiled graphs import only the standard operator set.
  lower(call) {
    const { name, outputs } = call.node;
    const below = call.graph.emit("Sub", [single(call), constant(call, numbers(call, "offset"))]);
    const inputs = [below, constant(call, numbers(call, "scale"))];
    call.graph.add({ name, op: "Mul", domain: "", inputs, outputs, attributes: {} });
  },
};
