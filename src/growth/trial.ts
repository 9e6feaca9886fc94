import { addDims, type Dim, divideDims, multiplyDims } from "../graph/dim.ts";
import { layoutSize } from "../graph/layout.ts";
import type { Graph, Node, ValueType } from "../graph/model.ts";
import { flopsOf } from "../ops/flops.ts";
import { isSupported } from "../ops/index.ts";
import { Call } from "../ops/operator.ts";
import { replaceAxis } from "../tensor/axis.ts";
import { EspalierError } from "../tensor/errors.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { graphEdits, type NumberEdit } from "./plan.ts";
import { nodeInput, type Rewritten, rewriteGraph } from "./rewrite.ts";
import type { Width } from "./width.ts";

/** A growth that was gone through with shapes alone. */
export interface Trial {
  /** Those of the integers that change. */
  readonly written: Width["written"];
  readonly cost: Width["costPerUnit"];
}

/** Grows the shapes of a graph, to see whether all of it fits and what a unit costs. */
export function tryGrowth(
  graph: Graph,
  types: ReadonlyMap<string, ValueType>,
  width: Pick<Width, "parts" | "repairs" | "written" | "carried" | "size">,
  to: number,
): Trial | { readonly blocked: string } {
  const parameters = new Map(graph.parameters);
  for (const { parameter, axis, layout } of width.parts) {
    const tensor = parameters.get(parameter) as Tensor;
    // The values stay behind: shape rules read those of integers only.
    parameters.set(parameter, { ...tensor, dims: replaceAxis(tensor.dims, axis, layoutSize(layout, to)) });
  }
  const repaired = width.repairs.find(
    ({ node, target }) => "input" in target && !graph.parameters.has(nodeInput(graph, node, target.input)),
  );
  if (repaired !== undefined) return { blocked: `the scale of "${repaired.node}" is not a parameter` };
  try {
    const edits = graphEdits(width, to);
    const grown = rewriteGraph(graph, types, parameters, { from: width.size, to, ...edits });
    const kept = grown.kept.map(({ to: size, ...place }) => ({ ...place, becomes: () => size }));
    return {
      written: [
        ...width.written.filter((_, index) => grown.changed.has(edits.numbers[index] as NumberEdit)),
        ...kept,
      ],
      cost: costOf(graph, types, parameters, grown, to - width.size),
    };
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error;
    return { blocked: `${error.thing} ${error.rule}` };
  }
}

function costOf(
  graph: Graph,
  types: ReadonlyMap<string, ValueType>,
  parameters: ReadonlyMap<string, Tensor>,
  grown: Rewritten,
  units: number,
): Width["costPerUnit"] {
  let added = 0;
  for (const [name, tensor] of parameters)
    added += sizeOf(tensor.dims) - sizeOf(graph.parameters.get(name)?.dims ?? []);
  let flops: Dim = 0;
  const old = new Map(graph.nodes.map((node) => [node.outputs[0], node]));
  for (const node of grown.graph.nodes) {
    const before = old.get(node.outputs[0]);
    const changed = [...node.inputs, ...node.outputs].some(
      (name) => grown.types.get(name) !== types.get(name),
    );
    if (!changed || !isSupported(node)) continue;
    flops = addDims(flops, flopsOf(callOf(node, grown.types, grown.graph)));
    if (before !== undefined) flops = addDims(flops, multiplyDims(-1, flopsOf(callOf(before, types, graph))));
  }
  return { parameters: added / units, flops: divideDims(flops, units) ?? flops };
}

function callOf(node: Node, types: ReadonlyMap<string, ValueType>, graph: Graph): Call {
  return new Call(
    node,
    (name) => types.get(name),
    (name) => graph.parameters.get(name),
  );
}
