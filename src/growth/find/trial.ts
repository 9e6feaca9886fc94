import { addDims, type Dim, divideDims, multiplyDims } from "../../graph/dim.ts";
import { layoutSize } from "../../graph/layout.ts";
import type { Node, ValueType } from "../../graph/model.ts";
import { flopsOf } from "../../ops/flops.ts";
import { isSupported } from "../../ops/index.ts";
import { Call } from "../../ops/rules/operator.ts";
import { replaceAxis } from "../../tensor/axis.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { IndexedGraph } from "../plan/indexed-graph.ts";
import { graphEdits, type NumberEdit } from "../plan/plan.ts";
import { type Rewritten, rewriteGraph } from "../plan/rewrite.ts";
import type { Width, WrittenSize } from "../plan/width.ts";

/** A growth that was tried with shapes alone. */
export interface GrownTrial {
  /** The integers that change. */
  readonly written: Width["written"];
  readonly cost: Width["costPerUnit"];
}

/** The integers that are sizes, at a node that a growth may reach. */
export type WrittenAt = (node: Node) => readonly WrittenSize[];

/** Grows the shapes of a graph as far as they change, to see whether everything fits and what a unit costs. */
export function tryGrowth(
  graph: IndexedGraph,
  width: Pick<Width, "parts" | "repairs" | "written" | "carried" | "size">,
  to: number,
  writtenAt: WrittenAt = () => [],
): GrownTrial | { readonly blocked: string } {
  const grown = new Map<string, Tensor>();
  for (const { parameter, axis, layout } of width.parts) {
    const tensor = (grown.get(parameter) ?? graph.parameters.get(parameter)) as Tensor;
    // Without the grown values: shape rules read only those of integers.
    grown.set(parameter, { ...tensor, dims: replaceAxis(tensor.dims, axis, layoutSize(layout, to)) });
  }
  const repaired = width.repairs.find(
    ({ node, target }) => "input" in target && !graph.parameters.has(graph.inputOf(node, target.input)),
  );
  if (repaired !== undefined) return { blocked: `the scale of "${repaired.node}" is not a parameter` };
  try {
    const edits = graphEdits(width, to);
    const written = new Map<NumberEdit, WrittenSize>();
    const note = (sizes: readonly WrittenSize[], numbers: readonly NumberEdit[]) => {
      for (const [at, size] of sizes.entries()) written.set(numbers[at] as NumberEdit, size);
      return numbers;
    };
    note(width.written, edits.numbers);
    const rewritten = rewriteGraph(graph, grown, { from: width.size, to, ...edits }, (node) => {
      const sizes = writtenAt(node);
      return note(sizes, graphEdits({ ...width, written: sizes }, to).numbers);
    });
    const kept = rewritten.kept.map(({ to: size, ...place }) => ({ ...place, becomes: () => size }));
    return {
      written: [...rewritten.changed.map((edit) => written.get(edit) as WrittenSize), ...kept],
      cost: costOf(graph, grown, rewritten, to - width.size),
    };
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error;
    return { blocked: `${error.thing} ${error.rule}` };
  }
}

function costOf(
  graph: IndexedGraph,
  grown: ReadonlyMap<string, Tensor>,
  { nodes, parameters, types, reached }: Rewritten,
  units: number,
): Width["costPerUnit"] {
  let added = 0;
  for (const [name, { dims }] of grown)
    added += sizeOf(dims) - sizeOf(graph.parameters.get(name)?.dims ?? []);
  const before = (node: Node) =>
    flopsOfNode(
      node,
      (name) => graph.types.get(name),
      (name) => graph.parameters.get(name),
    );
  const after = (node: Node) =>
    flopsOfNode(
      node,
      (name) => types.get(name) ?? graph.types.get(name),
      (name) => parameters.get(name) ?? graph.parameters.get(name),
    );
  let flops: Dim = 0;
  for (const position of reached) {
    const old = graph.nodesAt(position);
    for (const node of nodes.get(position) ?? old) flops = addDims(flops, after(node));
    for (const node of old) flops = addDims(flops, multiplyDims(-1, before(node)));
  }
  return { parameters: added / units, flops: divideDims(flops, units) ?? flops };
}

function flopsOfNode(
  node: Node,
  typeOf: (name: string) => ValueType | undefined,
  constantOf: (name: string) => Tensor | undefined,
): Dim {
  const isTyped = (name: string) => name === "" || typeOf(name) !== undefined;
  if (!isSupported(node) || ![...node.inputs, ...node.outputs].every(isTyped)) return 0;
  return flopsOf(new Call(node, typeOf, constantOf));
}
