import { namesOf } from "../../graph/dim.ts";
import type { Graph, Node, ValueType } from "../../graph/model.ts";
import { rulesOrNone } from "../../ops/index.ts";
import { inferInto, inferTypes } from "../../ops/infer.ts";
import { Call } from "../../ops/rules/operator.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { int64, type Tensor } from "../../tensor/tensor.ts";

/**
 * The same graph for batches of any size if it was exported for one size: the axis of examples of each input gets a name,
 * and its size in a Reshape is left open. Returns the graph unchanged if some input's batch is open already, or if an output
 * would then not count examples.
 */
export function freeBatch(
  graph: Graph,
  axes: ReadonlyMap<string, number>,
  outputs: readonly string[],
): Graph {
  const fixed = graph.inputs.every(
    ({ name, shape }) => graph.parameters.has(name) || typeof shape[axes.get(name) ?? 0] === "number",
  );
  if (!fixed || axes.size === 0) return graph;
  const taken = new Set(graph.inputs.flatMap(({ shape }) => shape.flatMap(namesOf)));
  const batch = ["batch", "examples", "batch_examples"].find((name) => !taken.has(name)) ?? "";
  const inputs = graph.inputs.map((value) => {
    const axis = axes.get(value.name);
    return axis === undefined ? value : { ...value, shape: value.shape.with(axis, batch) };
  });
  const parameters = new Map(graph.parameters);
  const before = inferTypes(graph);
  const types = new Map<string, ValueType>();
  for (const { name, dtype, shape } of inputs) types.set(name, { dtype, shape });
  for (const [name, { dtype, dims }] of parameters) types.set(name, { dtype, shape: dims });
  try {
    const nodes = graph.nodes.map((node) => {
      inferInto(types, node, parameters, new Map());
      const moves = rulesOrNone(node).moves === true && counts(types, node.inputs[0], batch);
      const opened = moves ? leftOpen(node, before, types, parameters, batch) : undefined;
      if (opened === undefined) return node;
      const name = `${node.outputs[0]}.any_batch`;
      parameters.set(name, opened);
      types.set(name, { dtype: "int64", shape: opened.dims });
      const made = { ...node, inputs: node.inputs.with(1, name) };
      inferInto(types, made, parameters, new Map());
      return made;
    });
    const free = outputs.every(
      (output) => types.get(output)?.shape.filter((dim) => dim === batch).length === 1,
    );
    return free ? { ...graph, inputs, nodes, parameters } : graph;
  } catch (error) {
    if (error instanceof EspalierError) return graph;
    throw error;
  }
}

function counts(types: ReadonlyMap<string, ValueType>, value: string | undefined, batch: string): boolean {
  return (types.get(value ?? "")?.shape ?? []).some((dim) => namesOf(dim).includes(batch));
}

/** The stated sizes of a node with that of the examples left open (−1); undefined if they are not constant. */
function leftOpen(
  node: Node,
  before: ReadonlyMap<string, ValueType>,
  types: ReadonlyMap<string, ValueType>,
  parameters: ReadonlyMap<string, Tensor>,
  batch: string,
): Tensor | undefined {
  const stated = parameters.get(node.inputs[1] ?? "");
  if (stated?.dtype !== "int64") return undefined;
  const axis = types.get(node.inputs[0] ?? "")?.shape.findIndex((dim) => namesOf(dim).includes(batch));
  const call = new Call(
    node,
    (name) => before.get(name),
    (name) => parameters.get(name),
  );
  const { ties, written = [] } = rulesOrNone(node).axes(call);
  const tied = ties.find(
    ({ a, b }) => a.side === "input" && a.index === 0 && a.axis === axis && b.side === "output",
  );
  const place = written.find(({ at }) => at.side === "output" && at.axis === tied?.b.axis)?.place;
  if (place === undefined || !("input" in place)) return undefined;
  const sizes = Array.from(stated.data as BigInt64Array, Number);
  const open = sizes.indexOf(-1);
  // Only one size can be left open: one that already was becomes a number.
  const known = open < 0 ? undefined : before.get(node.outputs[0] ?? "")?.shape[open];
  if (open >= 0 && typeof known !== "number") return undefined;
  const all = sizes.map((size, at) => (at === open ? (known as number) : size)).with(place.element, -1);
  return int64([all.length], all);
}
