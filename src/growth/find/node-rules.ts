import type { Layout } from "../../graph/layout.ts";
import type { Node, ValueType } from "../../graph/model.ts";
import { needsOf } from "../../graph/order.ts";
import { isSupported, operatorOf } from "../../ops/index.ts";
import { meantBy } from "../../ops/rewrites/upgrade.ts";
import type { AxisRef, AxisRule, Carried, Role, Tie } from "../../ops/rules/axis-rule.ts";
import { Call } from "../../ops/rules/operator.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Lists } from "../plan/lists.ts";

/** A step from one axis to another across a node. */
export interface RuleStep {
  readonly value: string;
  readonly axis: number;
  readonly carry: (layout: Layout) => Carried;
  /** Both sides are summed over against each other. */
  readonly contraction: boolean;
  /** The layout on the other side, if this one is at a single position of another axis there. */
  readonly carryAt?: NonNullable<Tie["forwardAt"]>;
  readonly node: Node;
}

/** A value that contains a single position of an axis of another value. */
export interface Picked {
  readonly value: string;
  readonly position: number;
  readonly node: Node;
}

/** An axis that some node uses as the output axis of a weight. */
export interface Seed {
  readonly value: string;
  readonly axis: number;
}

/** What one node's rule says. */
export interface NodeFlow {
  readonly node: Node;
  readonly flow: AxisRule;
  /** The node as its rules see it. */
  readonly call: Call;
  /** Ties of two inputs that are multiplied and summed over against each other. */
  readonly contractions: readonly Tie[];
  /** The value that a reference of the rule names; "" if there is none. */
  nameOf(ref: AxisRef): string;
}

/** What one node says about the axes of its values, by {@link axisKey}. */
export interface NodeRules {
  /** Undefined if no rule can be asked. */
  readonly nodeFlow: NodeFlow | undefined;
  /** Whether espalier has rules for the node in this form. */
  readonly isRuled: boolean;
  readonly steps: Lists<RuleStep>;
  readonly blocks: Lists<string>;
  readonly roles: Lists<Role>;
  readonly picks: Lists<Picked>;
  readonly seeds: readonly Seed[];
}

/** What rules may ask about the graph around a node. */
export interface Surroundings {
  readonly types: ReadonlyMap<string, ValueType>;
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Values that depend on parameters alone. */
  readonly constants: ReadonlySet<string>;
  /** The version that the graph is written in. */
  readonly opset: number;
  /** Whether the rules of a node's operator give the types of its outputs. */
  isTyped(node: Node): boolean;
}

export const axisKey = (value: string, axis: number) => `${axis}:${value}`;

/** Asks a node's rule. */
export function rulesOf(node: Node, around: Surroundings): NodeRules {
  const { types, parameters, constants, opset } = around;
  const steps = new Lists<RuleStep>();
  const blocks = new Lists<string>();
  const roles = new Lists<Role>();
  const picks = new Lists<Picked>();
  // A body (If, Loop, Scan) also reads values of this graph by name, and no rule says how.
  const needs = needsOf(node);
  const seeds: Seed[] = [];
  const blockUntouched = (touched: ReadonlySet<string>, why: string) => {
    for (const name of new Set([...needs, ...node.outputs])) {
      types.get(name)?.shape.forEach((_, axis) => {
        if (!touched.has(axisKey(name, axis))) {
          blocks.add(axisKey(name, axis), `${node.op} "${node.name || node.outputs[0]}" ${why} "${name}"`);
        }
      });
    }
  };
  const refused = (why: string, isRuled: boolean): NodeRules => {
    blockUntouched(new Set(), why);
    return { nodeFlow: undefined, isRuled, steps, blocks, roles, picks, seeds };
  };
  if (!around.isTyped(node)) {
    const untyped = isSupported(node) && node.inputs.some((name) => name !== "" && !types.has(name));
    return refused(untyped ? "reads a value of unknown shape, like" : whyUnruled(node), untyped);
  }
  const meant = meantBy(node, opset, types, parameters);
  if (meant === undefined) return refused(`means something else in opset ${opset}; it takes`, true);
  const call = new Call(
    meant,
    (name) => types.get(name),
    (name) => parameters.get(name),
  );
  const flow = flowWhereRuled(call);
  if (flow === undefined) return refused(whyUnruled(node), false);
  const nameOf = (ref: AxisRef) => (ref.side === "input" ? node.inputs : node.outputs)[ref.index] ?? "";
  const at = (ref: AxisRef) => axisKey(nameOf(ref), ref.axis);
  const roleOf = new Map((flow.roles ?? []).map((one) => [at(one.at), one.role]));
  const contractions = flow.ties.filter(
    ({ a, b }) =>
      a.side === "input" && b.side === "input" && [a, b].some((ref) => roleOf.get(at(ref)) === "outgoing"),
  );
  const touched = new Set<string>(
    [...(flow.ends ?? []), ...(flow.aggregates ?? []).map((pool) => pool.at)].map(at),
  );
  for (const tie of flow.ties) {
    const contraction = roleOf.get(at(tie.a)) === "outgoing" || roleOf.get(at(tie.b)) === "outgoing";
    const step = (to: AxisRef, carry: Tie["forward"], carryAt?: Tie["forwardAt"]): RuleStep => ({
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
    if (role === "incoming" && constants.has(nameOf(ref))) seeds.push({ value: nameOf(ref), axis: ref.axis });
  }
  // Rows of a table are not units of a layer: they are found only through the inputs that look them up.
  for (const { rows } of flow.tables ?? []) roles.add(at(rows), "incoming");
  const nodeFlow = { node, flow, call, contractions, nameOf };
  return { nodeFlow, isRuled: true, steps, blocks, roles, picks, seeds };
}

function flowWhereRuled(call: Call): AxisRule | undefined {
  try {
    return operatorOf(call.node).axes(call);
  } catch (error) {
    if (error instanceof EspalierError && error.code === "UNSUPPORTED_OPERATOR") return undefined;
    throw error;
  }
}

/** Why no rule is asked of a node, in words that precede the name of the value that it reads or makes. */
function whyUnruled(node: Node): string {
  return `${isSupported(node) ? "has a form without rules" : "is not an operator with rules"}; it takes`;
}
