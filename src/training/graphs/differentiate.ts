import type { GraphBuilder } from "../../graph/builder.ts";
import { rulesOrNone } from "../../ops/index.ts";
import { dependents, sweepGradients } from "../../ops/rules/sweep.ts";
import { EspalierError } from "../../tensor/errors.ts";

/**
 * Reverse-mode differentiation: writes the backward pass of a scalar `loss` into the graph as ordinary ONNX
 * operators. Returns the name of dL/dv for each `v` of `wrt` that the loss depends on.
 */
export function differentiate(
  graph: GraphBuilder,
  loss: string,
  wrt: readonly string[],
): ReadonlyMap<string, string> {
  const type = graph.typeOf(loss);
  if (type.shape.some((dim) => dim !== 1)) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `loss "${loss}"`,
      rule: "must be a scalar",
      received: type.shape,
      remedy: "Reduce it, e.g. by ReduceMean.",
    });
  }
  const forward = [...graph.nodes];
  const active = dependents(graph, forward, wrt, rulesOrNone);
  const gradients = new Map<string, string>();
  if (active.has(loss)) gradients.set(loss, graph.emit("Identity", [graph.scalar(1)], {}, "gradient"));
  if (type.shape.length > 0 && active.has(loss)) {
    gradients.set(loss, graph.emit("Reshape", [graph.scalar(1), graph.vector(type.shape.map(() => 1))]));
  }
  sweepGradients(graph, forward, gradients, active, rulesOrNone);
  const wanted = new Map<string, string>();
  for (const name of wrt) {
    const gradient = gradients.get(name);
    if (gradient !== undefined) wanted.set(name, gradient);
  }
  return wanted;
}
