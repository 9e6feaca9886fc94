import { isConcrete, type Shape } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import type { GradientCall } from "./operator.ts";

/** The product of the runtime sizes of `axes` of `value`, as a float32 scalar. */
export function elementCount(
  call: Pick<GradientCall, "graph">,
  value: string,
  axes: readonly number[],
): string {
  const { graph } = call;
  const sizes: Shape = axes.map((axis) => graph.typeOf(value).shape[axis] ?? 1);
  if (isConcrete(sizes)) return graph.scalar(sizes.reduce((product, size) => product * size, 1));
  const dims = graph.emit("Gather", [graph.emit("Shape", [value]), graph.vector(axes)]);
  return graph.emit("ReduceProd", [graph.emit("Cast", [dims], { to: int(1) })], { keepdims: int(0) });
}
