import type { GraphBuilder } from "../../graph/builder.ts";
import { sameLayout, unitLayout } from "../../graph/layout.ts";
import type { Node } from "../../graph/model.ts";
import { operatorOf } from "../../ops/index.ts";
import { anything, between, type Interval } from "../../ops/rules/interval.ts";
import { intervalOf } from "../../ops/rules/interval-rules.ts";
import { GraphCall, type Link } from "../../ops/rules/operator.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** The link function at the end of an output. */
export interface Ending {
  /** The function, with its axis as an axis of the output; undefined if the output no longer has that axis. */
  readonly link: { readonly name: Link["name"]; readonly axis?: number | undefined };
  /** The operator that computes it. */
  readonly operator: string;
  /** The value that the function is applied to. */
  readonly before: string;
  /** The nodes that move the function's values to the output, in order. */
  readonly moves: readonly Node[];
}

/** Whether an interval is within [0, 1]. */
export const isProbability = ({ least, most }: Interval) => least >= 0 && most <= 1;

/** How an output ends; undefined if no link function is found before the nodes that only move or clip values. */
export function endingOf(graph: GraphBuilder, output: string): Ending | undefined {
  const moves: Node[] = [];
  for (let name = output; ; ) {
    const node = makerOf(graph, name);
    if (node === undefined || node.outputs[0] !== name) return undefined;
    const call = new GraphCall(graph, node);
    const rules = operatorOf(node);
    const [before = ""] = node.inputs;
    const link = rules.link?.(call);
    if (link !== undefined) {
      return { link: linkAfter(graph, link, moves), operator: node.op, before, moves: moves.reverse() };
    }
    if (rules.moves) moves.push(node);
    // A clip within [0, 1] guards a probability against the logarithm of 0, as taking its logits does.
    else if (!rules.clamps || !isProbability(intervalOf(rules, limitsOf(graph, node), call)))
      return undefined;
    name = before;
  }
}

/** The intervals of a clip's inputs: any number, and its limits. */
function limitsOf(graph: GraphBuilder, { inputs }: Node): readonly (Interval | undefined)[] {
  return inputs.map((name, index) => {
    if (index === 0) return anything;
    return name === "" ? undefined : rangeOf(graph, name);
  });
}

/** The link with its axis as an axis of the output. `moves` are in order from last to first. */
function linkAfter(graph: GraphBuilder, link: Link, moves: readonly Node[]): Ending["link"] {
  if (!("axis" in link)) return link;
  const axis = moves.reduceRight<number | undefined>(
    (at, node) => (at === undefined ? undefined : axisAfter(graph, node, at)),
    link.axis,
  );
  return { name: link.name, axis };
}

/** The output axis to which a node moves all of axis `axis` of its input 0; undefined if there is none. */
function axisAfter(graph: GraphBuilder, node: Node, axis: number): number | undefined {
  const { ties } = operatorOf(node).axes(new GraphCall(graph, node));
  const tie = ties.find(({ a, b }) => a.side === "input" && b.side === "output" && a.axis === axis);
  const carried = tie?.forward?.(unitLayout) ?? unitLayout;
  return tie !== undefined && !("blocked" in carried) && sameLayout(carried, unitLayout)
    ? tie.b.axis
    : undefined;
}

/** The interval of a value, as far as the rules of the nodes that compute it say. */
export function rangeOf(graph: GraphBuilder, value: string): Interval {
  const known = new Map<string, Interval>();
  const look = (name: string): Interval => {
    const found = known.get(name) ?? compute(name);
    known.set(name, found);
    return found;
  };
  const compute = (name: string): Interval => {
    const constant = graph.parameters.get(name);
    if (constant !== undefined) return rangeOfEntries(constant);
    const node = makerOf(graph, name);
    if (node === undefined || node.outputs[0] !== name) return anything;
    const rules = operatorOf(node);
    if (rules.interval === undefined) return anything;
    const inputs = node.inputs.map((one) => (one === "" ? undefined : look(one)));
    return intervalOf(rules, inputs, new GraphCall(graph, node));
  };
  return look(value);
}

function rangeOfEntries({ data }: Tensor): Interval {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const entry of data as Iterable<number | bigint>) {
    least = Math.min(least, Number(entry));
    most = Math.max(most, Number(entry));
  }
  return data.length === 0 ? anything : between(least, most);
}

/** The node that computes a value. */
export function makerOf(graph: GraphBuilder, value: string): Node | undefined {
  return graph.nodes.find(({ outputs }) => outputs.includes(value));
}
