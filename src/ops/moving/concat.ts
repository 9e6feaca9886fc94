import type { Dim } from "../../graph/dim.ts";
import { addDims } from "../../graph/dim.ts";
import { int, type ValueType } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { input, output, type Tie, tie } from "../rules/axis-rule.ts";
import { broadcastShapes } from "../rules/broadcast.ts";
import { moved } from "../rules/contents.ts";
import { concatenationTies } from "../rules/folding.ts";
import { shapeOf } from "../rules/gradient.ts";
import { constantIntegers, offsetOf, placesOf, rearranged } from "../rules/integer-folding.ts";
import { hullOfAll } from "../rules/interval-rules.ts";
import type { Call, GradientCall, Operator, RoundingCall } from "../rules/operator.ts";
import { realsOf, sizesOf, withValue } from "../rules/sizes.ts";

function axisOf(call: Call): number {
  return call.axis(call.int("axis", 1), call.rank(0));
}

/** Sizes of the inputs along the concatenation axis. */
function joined(call: Call): readonly Dim[] {
  const axis = axisOf(call);
  return call.node.inputs.map((_, index) => call.shape(index)[axis] as Dim);
}

function inferConcat(call: Call): readonly ValueType[] {
  const axis = axisOf(call);
  const shapes = call.node.inputs.map((_, index) => {
    const shape = call.shape(index);
    if (shape.length !== call.rank(0)) call.fail("its inputs must have the same number of axes", shape);
    return shape.map((dim, at) => (at === axis ? 1 : dim));
  });
  const shape = broadcastShapes(call, shapes).map((dim, at) =>
    at === axis ? joined(call).reduce(addDims) : dim,
  );
  const { dtype } = call.input(0);
  if (shape.length !== 1) return [{ dtype, shape }];
  const parts = call.node.inputs.map((_, index) => (isFloat(dtype) ? realsOf : sizesOf)(call, index));
  const known = parts.every((part) => part !== undefined);
  return [withValue({ dtype, shape }, known ? parts.flatMap((part) => part ?? []) : undefined)];
}

function gradient(call: GradientCall): readonly (string | undefined)[] {
  const { graph } = call;
  const { inputs } = call.node;
  if (inputs.length === 1) return [call.upstream];
  const axis = axisOf(call);
  const sizes = joined(call);
  const position = graph.vector([axis]);
  const lengths = sizes.every((size): size is number => typeof size === "number")
    ? graph.vector(sizes)
    : graph.emit(
        "Concat",
        inputs.map((name, index) =>
          typeof sizes[index] === "number"
            ? graph.vector([sizes[index] as number])
            : graph.emit("Gather", [shapeOf(call, name), position]),
        ),
        { axis: int(0) },
      );
  return graph.emitAll("Split", [call.upstream, lengths], inputs.length, { axis: int(axis) });
}

function ties(call: Call): readonly Tie[] {
  const axis = axisOf(call);
  const sizes = joined(call);
  const others = call
    .output(0)
    .shape.flatMap((_, at) =>
      at === axis ? [] : call.node.inputs.map((_, index) => tie(input(index, at), output(at))),
    );
  const joints = concatenationTies(
    output(axis),
    sizes.map((_, index) => input(index, axis)),
    sizes,
  );
  return [...others, ...joints];
}

function rounding(call: RoundingCall): string | undefined {
  if (call.inputBounds.every((bound) => bound === undefined)) return undefined;
  const bounds = call.node.inputs.map(
    (name, index) =>
      call.inputBounds[index] ?? call.graph.emit("ConstantOfShape", [call.graph.emit("Shape", [name])]),
  );
  return call.graph.emit("Concat", bounds, call.node.attributes);
}

function constant(call: Call): Tensor | undefined {
  const parts = constantIntegers(call);
  const [first] = parts ?? [];
  if (parts === undefined || first === undefined) return undefined;
  const rank = first.dims.length;
  const axis = call.axis(call.int("axis", 1), rank);
  if (parts.some(({ dims }) => dims.length !== rank)) return undefined;
  const lengths = parts.map(({ dims }) => dims[axis] as number);
  const dims = first.dims.map((size, at) => (at === axis ? lengths.reduce((a, b) => a + b) : size));
  const offsets = placesOf(dims).map((place) => {
    let [part, index, before] = [0, place[axis] as number, 0];
    while (index >= (lengths[part] as number)) {
      index -= lengths[part] as number;
      before += parts[part]?.data.length ?? 0;
      part++;
    }
    const own = place.map((at, other) => (other === axis ? index : at));
    return before + offsetOf(own, parts[part]?.dims ?? []);
  });
  return rearranged(parts, dims, offsets);
}

/** Joins tensors along an axis. ONNX Concat-13. */
export const concat: Operator = {
  infer: inferConcat,
  gradient,
  axes: (call) => ({
    ties: ties(call),
    roles: call.node.inputs.flatMap((_, index) =>
      call
        .shape(index)
        .flatMap((_, axis) =>
          axis === axisOf(call) ? [] : [{ at: input(index, axis), role: "incoming" as const }],
        ),
    ),
    contents: moved,
  }),
  interval: hullOfAll,
  rounding,
  constant,
  flops: () => 0,
};
