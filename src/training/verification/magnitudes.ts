import type { Feeds } from "../../engine/session.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import { int, type Node } from "../../graph/model.ts";
import { Lists } from "../../growth/plan/lists.ts";
import { weightsFirst } from "../../models/weights-apart.ts";
import { newGraph } from "../../ops/index.ts";

/** Bytes of a weight whose magnitudes exist at one time. */
const pieceBytes = 2 ** 22;

/**
 * The same graph, with the products x·|W| of large weights computed some columns at a time, and every |W| just before it is
 * read: the magnitudes of all weights would take as much memory as the model.
 */
export function magnitudesInPieces(graph: GraphBuilder, weights: Feeds): GraphBuilder {
  const result = newGraph(graph.origin);
  result.reserveAll(graph);
  for (const input of graph.inputs) result.input(input.name, input);
  for (const [name, tensor] of graph.parameters) result.parameter(name, tensor);
  const split = splitProducts(graph.nodes, weights);
  const gone = new Set(split.values());
  const known = new Set([...graph.parameters.keys(), ...Object.keys(weights)]);
  for (const node of weightsFirst(graph.nodes, known)) {
    const magnitude = split.get(node);
    if (magnitude !== undefined) productInPieces(result, node, magnitude.inputs[0] as string);
    else if (!gone.has(node)) result.add(node);
  }
  return result;
}

/** Products whose second factor is too large, and the node that makes it for them alone. */
function splitProducts(nodes: readonly Node[], weights: Feeds): ReadonlyMap<Node, Node> {
  const readers = new Lists<Node>();
  for (const node of nodes) for (const name of node.inputs) readers.add(name, node);
  const split = new Map<Node, Node>();
  for (const node of nodes) {
    const weight = weights[node.inputs[0] ?? ""];
    if (node.op !== "Abs" || weight?.dims.length !== 2 || weight.data.byteLength <= pieceBytes) continue;
    const [reader, ...others] = readers.at(node.outputs[0] as string);
    if (
      reader !== undefined &&
      others.length === 0 &&
      isProduct(reader) &&
      reader.inputs[1] === node.outputs[0]
    )
      split.set(reader, node);
  }
  return split;
}

function isProduct({ op, domain, inputs }: Node): boolean {
  return domain === "" && (op === "MatMul" || op === "Gemm") && inputs.length === 2;
}

function productInPieces(graph: GraphBuilder, node: Node, weight: string): void {
  const axis = node.attributes.transB?.kind === "int" && Number(node.attributes.transB.value) === 1 ? 0 : 1;
  const sizes = graph.typeOf(weight).shape as readonly number[];
  const [size, other] = [sizes[axis], sizes[1 - axis]] as [number, number];
  const step = Math.max(1, Math.floor(pieceBytes / (other * Float32Array.BYTES_PER_ELEMENT)));
  const pieces: string[] = [];
  for (let from = 0; from < size; from += step) {
    const limits = [[from], [Math.min(size, from + step)], [axis]].map((limit) => graph.vector(limit));
    const piece = graph.emit("Abs", [graph.emit("Slice", [weight, ...limits])]);
    pieces.push(graph.emit(node.op, [node.inputs[0] as string, piece], node.attributes));
  }
  const last = graph.typeOf(pieces[0] as string).shape.length - 1;
  graph.add({ ...node, op: "Concat", inputs: pieces, attributes: { axis: int(last) } });
}
