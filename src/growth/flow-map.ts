import type { Layout } from "../graph/layout.ts";
import type { Graph, Node, ValueType } from "../graph/model.ts";
import type { AxisRef, Carried, Role, Tie } from "../ops/flow.ts";
import { operatorOf } from "../ops/index.ts";
import { inferTypes } from "../ops/infer.ts";
import { Call } from "../ops/operator.ts";

/** A step from one axis to another across a node. */
export interface Step {
  readonly value: string;
  readonly axis: number;
  readonly role: Role | undefined;
  readonly carry: (layout: Layout) => Carried;
  /** Both sides are summed over against each other. */
  readonly contraction: boolean;
  readonly node: Node;
}

/** Every operator's axis-flow rule, applied to a graph and indexed by axis. */
export interface FlowMap {
  readonly types: ReadonlyMap<string, ValueType>;
  /** Values that depend on parameters alone. */
  readonly constants: ReadonlySet<string>;
  /** Steps that leave an axis of a value. */
  stepsFrom(value: string, axis: number): readonly Step[];
  /** Why an axis of a value must not grow. */
  blocksAt(value: string, axis: number): readonly string[];
  /** Axes that some node takes for the output axis of a weight, in node order. */
  readonly seeds: readonly { readonly parameter: string; readonly axis: number }[];
}

const key = (value: string, axis: number) => `${axis}:${value}`;

export function flowMap(graph: Graph): FlowMap {
  const types = inferTypes(graph);
  const constants = new Set<string>(graph.parameters.keys());
  const steps = new Map<string, Step[]>();
  const blocks = new Map<string, string[]>();
  const seeds: { parameter: string; axis: number }[] = [];
  const put = <T>(map: Map<string, T[]>, at: string, item: T) => {
    const list = map.get(at);
    if (list === undefined) map.set(at, [item]);
    else list.push(item);
  };

  for (const node of graph.nodes) {
    if (node.inputs.every((name) => name === "" || constants.has(name))) {
      for (const name of node.outputs) constants.add(name);
    }
    const call = new Call(
      node,
      (name) => types.get(name),
      (name) => graph.parameters.get(name),
    );
    const flow = operatorOf(node).flow(call);
    const nameOf = (ref: AxisRef) => (ref.side === "input" ? node.inputs : node.outputs)[ref.index] ?? "";
    const at = (ref: AxisRef) => key(nameOf(ref), ref.axis);
    const roleAt = (ref: AxisRef) => flow.roles?.find((role) => at(role.at) === at(ref))?.role;
    const touched = new Set<string>((flow.ends ?? []).map(at));
    for (const tie of flow.ties) {
      const contraction = roleAt(tie.a) === "outgoing" || roleAt(tie.b) === "outgoing";
      const step = (to: AxisRef, carry: Tie["forward"]): Step => ({
        value: nameOf(to),
        axis: to.axis,
        role: roleAt(to),
        carry: carry ?? ((layout) => layout),
        contraction,
        node,
      });
      put(steps, at(tie.a), step(tie.b, tie.forward));
      put(steps, at(tie.b), step(tie.a, tie.backward));
      touched.add(at(tie.a)).add(at(tie.b));
    }
    for (const { at: ref, reason } of flow.blocked ?? []) {
      put(blocks, at(ref), `${node.op} "${node.name}": ${reason}`);
      touched.add(at(ref));
    }
    for (const name of new Set([...node.inputs, ...node.outputs])) {
      types.get(name)?.shape.forEach((_, axis) => {
        if (!touched.has(key(name, axis))) {
          put(blocks, key(name, axis), `${node.op} "${node.name}" does not carry axis ${axis} of "${name}"`);
        }
      });
    }
    for (const { at: ref, role } of flow.roles ?? []) {
      const name = nameOf(ref);
      if (role === "incoming" && graph.parameters.has(name)) seeds.push({ parameter: name, axis: ref.axis });
    }
  }
  for (const value of graph.outputs) {
    value.shape.forEach((_, axis) => {
      put(blocks, key(value.name, axis), `it reaches the output "${value.name}"`);
    });
  }
  for (const value of graph.inputs) {
    value.shape.forEach((_, axis) => {
      put(blocks, key(value.name, axis), `it reaches the input "${value.name}"`);
    });
  }
  return {
    types,
    constants,
    seeds,
    stepsFrom: (value, axis) => steps.get(key(value, axis)) ?? [],
    blocksAt: (value, axis) => blocks.get(key(value, axis)) ?? [],
  };
}
