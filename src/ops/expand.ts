import type { Shape } from "../graph/dim.ts";
import { movedBound } from "./bounds.ts";
import { broadcastShapes } from "./broadcast.ts";
import { type Flow, input, output, tie } from "./flow.ts";
import { unbroadcast } from "./gradient.ts";
import type { Call, Operator } from "./operator.ts";
import { sizesOf, unknownSize } from "./sizes.ts";

function target(call: Call): Shape {
  const sizes = sizesOf(call, 1);
  if (sizes !== undefined) return sizes;
  const rank = call.shape(1)[0];
  if (typeof rank !== "number") call.fail("the number of axes of its target shape must be known", rank);
  return Array.from({ length: rank }, (_, axis) => unknownSize(call, axis));
}

function flow(call: Call): Flow {
  const shape = call.shape(0);
  const lead = call.output(0).shape.length - shape.length;
  const written = call.constantInts(1);
  const offset = call.output(0).shape.length - (written?.length ?? 0);
  const own = shape.flatMap((dim, axis) => (dim === call.output(0).shape[axis + lead] ? [axis] : []));
  // A target of 1 leaves the axis its size; any other is written in the model.
  const free = (axis: number) => written !== undefined && (written[axis + lead - offset] ?? 1) === 1;
  return {
    ties: own.filter(free).map((axis) => tie(input(0, axis), output(axis + lead))),
    blocked: own
      .filter((axis) => !free(axis))
      .map((axis) => ({
        at: input(0, axis),
        reason:
          written === undefined
            ? "the target shape of the Expand is computed"
            : `the target shape of the Expand names the size ${written[axis + lead - offset]}; write 1 there instead`,
      })),
  };
}

/** Broadcasts a tensor to a shape. ONNX Expand-13. */
export const expand: Operator = {
  infer: (call) => [
    { dtype: call.input(0).dtype, shape: broadcastShapes(call, [call.shape(0), target(call)]) },
  ],
  gradient: (call) => [unbroadcast(call, call.upstream, 0)],
  flow,
  rounding: movedBound,
  flops: () => 0,
};
