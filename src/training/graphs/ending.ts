import type { GraphBuilder } from "../../graph/builder.ts";
import { sameLayout, unitLayout } from "../../graph/layout.ts";
import type { Node } from "../../graph/model.ts";
import { operatorOf } from "../../ops/index.ts";
import { anything, between, type Interval } from "../../ops/rules/interval.ts";
import { intervalOf } from "../../ops/rules/interval-rules.ts";
import { GraphCall, type Link } from "../../ops/rules/operator.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** The function that the values of an output are of what stands before it. */
export interface Ending {
  /** With its axis as the output counts axes; undefined where the output has lost it. */
  readonly link: { readonly name: Link["name"]; readonly axis?: number | undefined };
  /** The operator that computes it. */
  readonly operator: string;
  /** The value that the function is of. */
  readonly before: string;
  /** The nodes that move its values on to the output, in order. */
  readonly moves: readonly Node[];
}

/** Whether everything in an interval lies in [0, 1]. */
export const isProbability = ({ least, most }: Interval) => least >= 0 && most <= 1;

/** How an output ends: undefined where no link function is found through nodes that move or clip its values. */
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

/** What a clip knows of its inputs: anything may come, between its limits. */
function limitsOf(graph: GraphBuilder, { inputs }: Node): readonly (Interval | undefined)[] {
  return inputs.map((name, index) => {
    if (index === 0) return anything;
    return name === "" ? undefined : rangeOf(graph, name);
  });
}

/** The link as the output counts axes. `moves` from the last to the first. */
function linkAfter(graph: GraphBuilder, link: Link, moves: readonly Node[]): Ending["link"] {
  if (!("axis" in link)) return link;
  const axis = moves.reduceRight<number | undefined>(
    (at, node) => (at === undefined ? undefined : axisAfter(graph, node, at)),
    link.axis,
  );
  return { name: link.name, axis };
}

/** Where a node puts axis `axis` of its input 0, whole. */
function axisAfter(graph: GraphBuilder, node: Node, axis: number): number | undefined {
  const { ties } = operatorOf(node).axes(new GraphCall(graph, node));
  const tie = ties.find(({ a, b }) => a.side === "input" && b.side === "output" && a.axis === axis);
  const carried = tie?.forward?.(unitLayout) ?? unitLayout;
  return tie !== undefined && !("blocked" in carried) && sameLayout(carried, unitLayout)
    ? tie.b.axis
    : undefined;
}

/** Between which numbers a value lies, as far as the rules of the nodes that make it say. */
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
