import { wasLifted } from "../../graph/lifted.ts";
import type { Graph, Node } from "../../graph/model.ts";
import { neededFor } from "../../graph/needed.ts";
import { toNumbers } from "../../tensor/tensor.ts";
import { rulesOrNone } from "../index.ts";
import { inferGraph } from "../infer.ts";
import { anything, between, type Interval } from "../rules/interval.ts";
import { intervalOf } from "../rules/interval-rules.ts";
import { Call } from "../rules/operator.ts";

/**
 * The same graph without initial states that are always zero and that several layers share. Recurrent operators begin with
 * zeros anyway, and one tensor for all layers would tie their sizes together. A state of one layer alone stays in the file.
 */
export function dropZeroStates(graph: Graph): Graph {
  if (!graph.nodes.some((node) => rulesOrNone(node).zeroIfAbsent !== undefined)) return graph;
  const isZero = zerosIn(graph);
  const isShared = sharedStates(graph, isZero);
  let changed = false;
  const nodes = graph.nodes.map((node) => {
    const states = rulesOrNone(node).zeroIfAbsent ?? [];
    const dropped = states.filter(
      (at) =>
        (node.inputs[at] ?? "") !== "" &&
        isZero(node.inputs[at] as string) &&
        isShared(node.inputs[at] as string),
    );
    if (dropped.length === 0) return node;
    changed = true;
    const inputs = node.inputs.map((name, at) => (dropped.includes(at) ? "" : name));
    while (inputs.at(-1) === "") inputs.pop();
    return { ...node, inputs };
  });
  return changed ? without(graph, { ...graph, nodes }) : graph;
}

/** Whether several nodes begin with parts of the zeros that a state is made of. */
function sharedStates(graph: Graph, isZero: (name: string) => boolean): (name: string) => boolean {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  /** The first zeros that a value of zeros is a part of: a Slice, an Expand or a Squeeze leads to its input. */
  const origin = (name: string): string => {
    const from = makers.get(name)?.inputs[0] ?? "";
    return from !== "" && isZero(from) ? origin(from) : name;
  };
  const readers = new Map<string, Set<Node>>();
  for (const node of graph.nodes) {
    for (const at of rulesOrNone(node).zeroIfAbsent ?? []) {
      const name = node.inputs[at] ?? "";
      if (name === "" || !isZero(name)) continue;
      const zeros = origin(name);
      readers.set(zeros, (readers.get(zeros) ?? new Set()).add(node));
    }
  }
  return (name) => (readers.get(origin(name))?.size ?? 0) > 1;
}

/** Whether a value is zero in every run, according to interval rules. */
function zerosIn(graph: Graph): (name: string) => boolean {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const { types, ruled } = inferGraph(graph);
  const known = new Map<string, Interval>();
  const intervalAt = (name: string): Interval => {
    const old = known.get(name);
    if (old !== undefined) return old;
    // Nothing is known while a value is still being computed (a cycle).
    known.set(name, anything);
    const found = look(name);
    known.set(name, found);
    return found;
  };
  const look = (name: string): Interval => {
    const tensor = graph.parameters.get(name);
    // A parameter that is zero now may be trained later.
    if (tensor !== undefined) {
      const isZero = wasLifted(graph, name) && toNumbers(tensor).every((value) => value === 0);
      return isZero ? between(0, 0) : anything;
    }
    const maker = makers.get(name);
    const rules = maker && rulesOrNone(maker);
    if (maker === undefined || rules?.interval === undefined || !ruled.has(maker)) return anything;
    const call = new Call(
      maker,
      (value) => types.get(value),
      (value) => graph.parameters.get(value),
    );
    const inputs = maker.inputs.map((value) => (value === "" ? undefined : intervalAt(value)));
    return intervalOf(rules, inputs, call);
  };
  return (name) => {
    const { least, most } = intervalAt(name);
    return least === 0 && most === 0;
  };
}

/** The graph without the nodes and parameters that only the old one needed. */
function without(before: Graph, after: Graph): Graph {
  const results = after.outputs.map(({ name }) => name);
  const [old, needed] = [neededFor(before, results), neededFor(after, results)];
  const kept = new Set(needed.nodes.flatMap(({ outputs }) => outputs));
  const isGone = (node: Node) => old.nodes.includes(node) && !node.outputs.some((name) => kept.has(name));
  return {
    ...after,
    nodes: after.nodes.filter((node) => !isGone(node)),
    parameters: new Map(
      [...after.parameters].filter(([name]) => needed.parameters.has(name) || !old.parameters.has(name)),
    ),
  };
}
