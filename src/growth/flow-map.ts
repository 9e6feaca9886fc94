import type { Layout } from "../graph/layout.ts";
import { defaultOpset, type Graph, type Node, type Subgraph, type ValueType } from "../graph/model.ts";
import { needsOf } from "../graph/order.ts";
import type { AxisRef, Carried, Flow, Role, Tie } from "../ops/flow.ts";
import { isSupported, operatorOf } from "../ops/index.ts";
import { inferGraph } from "../ops/infer.ts";
import { Call } from "../ops/operator.ts";
import { meantBy } from "../ops/raise.ts";
import { EspalierError } from "../tensor/errors.ts";

/** A step from one axis to another across a node. */
export interface Step {
  readonly value: string;
  readonly axis: number;
  readonly carry: (layout: Layout) => Carried;
  /** Both sides are summed over against each other. */
  readonly contraction: boolean;
  /** The layout on the other side, where this one lies at one position alone of another axis there. */
  readonly carryAt?: NonNullable<Tie["forwardAt"]>;
  readonly node: Node;
}

/** A value that holds one position alone of an axis of another value. */
export interface Picked {
  readonly value: string;
  readonly position: number;
  readonly node: Node;
}

/** An axis that some node takes for the output axis of a weight. */
export interface Seed {
  readonly value: string;
  readonly axis: number;
}

/** What one node's rule says. */
export interface NodeFlow {
  readonly node: Node;
  readonly flow: Flow;
  /** The node as its rules see it. */
  readonly call: Call;
  /** Ties of two inputs that are multiplied and summed over against each other. */
  readonly contractions: readonly Tie[];
  /** The value that a reference of the rule names; "" where it is not there. */
  nameOf(ref: AxisRef): string;
}

/** Every operator's axis-flow rule, applied to a graph and indexed by axis. */
export interface FlowMap {
  readonly types: ReadonlyMap<string, ValueType>;
  /** Values that depend on parameters alone. */
  readonly constants: ReadonlySet<string>;
  readonly nodes: readonly NodeFlow[];
  /** Whether espalier has rules for a node, in the form that it has here. */
  isRuled(node: Node): boolean;
  /** Steps that leave an axis of a value. */
  stepsFrom(value: string, axis: number): readonly Step[];
  /** Values that hold single positions of an axis. */
  picksOf(value: string, axis: number): readonly Picked[];
  /** Why an axis of a value must not grow. */
  blocksAt(value: string, axis: number): readonly string[];
  /** The model's input or output that an axis belongs to, in words. */
  borderAt(value: string, axis: number): string | undefined;
  /** What nodes say that an axis of a parameter is. */
  rolesAt(value: string, axis: number): readonly Role[];
  /** In node order. */
  readonly seeds: readonly Seed[];
}

export const axisKey = (value: string, axis: number) => `${axis}:${value}`;

/** Lists by key. */
class Index<T> {
  readonly #lists = new Map<string, T[]>();

  add(key: string, item: T): void {
    const list = this.#lists.get(key);
    if (list === undefined) this.#lists.set(key, [item]);
    else list.push(item);
  }

  at(key: string): readonly T[] {
    return this.#lists.get(key) ?? [];
  }
}

/** Asks every operator's rule. `opset` is the one that the graph is written in. */
export function flowMap(graph: Graph, opset = defaultOpset): FlowMap {
  const { types, ruled } = inferGraph(graph);
  const constants = new Set<string>(graph.parameters.keys());
  const steps = new Index<Step>();
  const blocks = new Index<string>();
  const roles = new Index<Role>();
  const picks = new Index<Picked>();
  const borders = new Map<string, string>();
  const seeds: Seed[] = [];
  const nodes: NodeFlow[] = [];
  const unruled = new Set<Node>();

  for (const node of graph.nodes) {
    // A body (If, Loop, Scan) also reads values of this graph by name, and no rule says how.
    const needs = needsOf(node);
    if (needs.every((name) => name === "" || constants.has(name))) {
      for (const name of node.outputs) constants.add(name);
    }
    seeds.push(...seedsInBodies(node, needs, { graph, types, opset }));
    const names = [...new Set([...needs, ...node.outputs])];
    const blockUntouched = (touched: ReadonlySet<string>, why: string) => {
      for (const name of names) {
        types.get(name)?.shape.forEach((_, axis) => {
          if (!touched.has(axisKey(name, axis))) {
            blocks.add(axisKey(name, axis), `${node.op} "${node.name || node.outputs[0]}" ${why} "${name}"`);
          }
        });
      }
    };
    if (!ruled.has(node)) {
      const untyped = isSupported(node) && node.inputs.some((name) => name !== "" && !types.has(name));
      if (!untyped) unruled.add(node);
      blockUntouched(new Set(), untyped ? "reads a value of unknown shape, like" : whyUnruled(node));
      continue;
    }
    const meant = meantBy(node, opset, types, graph.parameters);
    if (meant === undefined) {
      blockUntouched(new Set(), `means something else in opset ${opset}; it takes`);
      continue;
    }
    const call = new Call(
      meant,
      (name) => types.get(name),
      (name) => graph.parameters.get(name),
    );
    const flow = flowWhereRuled(call);
    if (flow === undefined) {
      unruled.add(node);
      blockUntouched(new Set(), whyUnruled(node));
      continue;
    }
    const nameOf = (ref: AxisRef) => (ref.side === "input" ? node.inputs : node.outputs)[ref.index] ?? "";
    const at = (ref: AxisRef) => axisKey(nameOf(ref), ref.axis);
    const roleOf = new Map((flow.roles ?? []).map((one) => [at(one.at), one.role]));
    const contractions = flow.ties.filter(
      ({ a, b }) =>
        a.side === "input" && b.side === "input" && [a, b].some((ref) => roleOf.get(at(ref)) === "outgoing"),
    );
    nodes.push({ node, flow, call, contractions, nameOf });
    const touched = new Set<string>(
      [...(flow.ends ?? []), ...(flow.pools ?? []).map((pool) => pool.at)].map(at),
    );
    for (const tie of flow.ties) {
      const contraction = roleOf.get(at(tie.a)) === "outgoing" || roleOf.get(at(tie.b)) === "outgoing";
      const step = (to: AxisRef, carry: Tie["forward"], carryAt?: Tie["forwardAt"]): Step => ({
        value: nameOf(to),
        axis: to.axis,
        carry: carry ?? ((layout) => layout),
        contraction,
        ...(carryAt === undefined ? {} : { carryAt }),
        node,
      });
      steps.add(at(tie.a), step(tie.b, tie.forward, tie.forwardAt));
      steps.add(at(tie.b), step(tie.a, tie.backward));
      touched.add(at(tie.a)).add(at(tie.b));
    }
    for (const { at: ref, position, output } of flow.picks ?? []) {
      picks.add(at(ref), { value: node.outputs[output] ?? "", position, node });
    }
    for (const { at: ref, reason } of flow.blocked ?? []) {
      blocks.add(at(ref), `${node.op} "${node.name || node.outputs[0]}": ${reason}`);
      touched.add(at(ref));
    }
    blockUntouched(touched, "does not carry this axis of");
    for (const { at: ref, role } of flow.roles ?? []) {
      roles.add(at(ref), role);
      if (role === "incoming" && constants.has(nameOf(ref)))
        seeds.push({ value: nameOf(ref), axis: ref.axis });
    }
  }
  for (const [kind, values] of [
    ["output", graph.outputs],
    ["input", graph.inputs],
  ] as const) {
    for (const { name } of values) {
      types.get(name)?.shape.forEach((_, axis) => {
        borders.set(axisKey(name, axis), `${kind} "${name}"`);
      });
    }
  }
  return {
    types,
    constants,
    nodes,
    isRuled: (node) => !unruled.has(node),
    seeds,
    stepsFrom: (value, axis) => steps.at(axisKey(value, axis)),
    picksOf: (value, axis) => picks.at(axisKey(value, axis)),
    blocksAt: (value, axis) => blocks.at(axisKey(value, axis)),
    borderAt: (value, axis) => borders.get(axisKey(value, axis)),
    rolesAt: (value, axis) => roles.at(axisKey(value, axis)),
  };
}

function flowWhereRuled(call: Call): Flow | undefined {
  try {
    return operatorOf(call.node).flow(call);
  } catch (error) {
    if (error instanceof EspalierError && error.code === "UNSUPPORTED_OPERATOR") return undefined;
    throw error;
  }
}

/** Why no rule is asked of a node, in the words before the value that it takes or makes. */
function whyUnruled(node: Node): string {
  return `${isSupported(node) ? "has a form without rules" : "is not an operator with rules"}; it takes`;
}

/** Where the bodies of a node take parameters of the graph around them for weights: those make widths too. */
function seedsInBodies(
  node: Node,
  needs: readonly string[],
  { graph, types, opset }: { graph: Graph; types: ReadonlyMap<string, ValueType>; opset: number },
): readonly Seed[] {
  const read = needs.slice(node.inputs.length);
  const around = new Map(read.flatMap((name) => entryOf(graph.parameters, name)));
  if (around.size === 0) return [];
  const values = read.flatMap((name) => {
    const type = around.has(name) ? undefined : types.get(name);
    return type === undefined ? [] : [{ name, ...type }];
  });
  return Object.values(node.attributes).flatMap((attribute) => {
    if (attribute.kind !== "graph") return [];
    const body = attribute.value;
    const parameters = new Map([...around, ...body.parameters]);
    const closed: Graph = { ...body, inputs: [...declared(body), ...values], outputs: [], parameters };
    try {
      return flowMap(closed, opset).seeds.filter(({ value }) => around.has(value));
    } catch (error) {
      // Its own types do not fit. Nothing grows through a body, so nothing depends on them here.
      if (error instanceof EspalierError) return [];
      throw error;
    }
  });
}

/** The inputs of a body whose types the file says. */
function declared({ inputs }: Subgraph): Graph["inputs"] {
  return inputs.flatMap((value) => {
    const { name, dtype, shape } = value;
    return dtype === undefined || shape === undefined ? [] : [{ name, dtype, shape }];
  });
}

function entryOf<V>(map: ReadonlyMap<string, V>, key: string): [string, V][] {
  const value = map.get(key);
  return value === undefined ? [] : [[key, value]];
}
