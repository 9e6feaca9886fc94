import { int, type Node } from "../../graph/model.ts";
import { incomingParts, outgoingParts } from "../../growth/plan/probe.ts";
import type { Width, WidthPart } from "../../growth/plan/width.ts";
import { rulesOrNone } from "../../ops/index.ts";
import { GraphCall, type Unfolded } from "../../ops/rules/operator.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Program } from "../graphs/program.ts";

/** The one weight on a side of a width, and the one node that multiplies by it. */
export interface Site {
  readonly part: WidthPart;
  readonly node: Node;
  readonly unfolded: Unfolded;
}

/** Throws `NOT_GROWABLE` if that side has several weights, or none, or one that is used in another way. */
export function siteOf(program: Program, width: Width, side: "incoming" | "outgoing"): Site {
  const { graph } = program;
  const parts = side === "incoming" ? incomingParts(width) : outgoingParts(width);
  const [part] = parts;
  const nodes = graph.nodes.filter(({ inputs }) => inputs.includes(part?.parameter ?? ""));
  const [node] = nodes;
  const unfold = node === undefined ? undefined : rulesOrNone(node).unfold;
  if (
    part === undefined ||
    node === undefined ||
    unfold === undefined ||
    parts.length > 1 ||
    nodes.length > 1 ||
    node.inputs[1] !== part.parameter
  ) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: `width "${width.id}"`,
      rule: `needs one ${side} weight in one linear or convolution layer for second moments to be taken`,
      received: parts.map(({ parameter }) => parameter),
      remedy: "Use a strategy or score that requires less, such as candidates.",
    });
  }
  return { part, node, unfolded: unfold(new GraphCall(graph, node)) };
}

/** Σ r rᵀ over the rows of a value. */
export function gram({ graph }: Program, rows: string): string {
  return graph.emit("Gemm", [rows, rows], { transA: int(1) });
}

/** The number of examples in a batch, as a float32 scalar of the graph. */
export function exampleCount(program: Program): string {
  const [input] = program.inputs;
  return sizeAlong(program, input?.name ?? "", input?.batchAxis ?? 0);
}

/** The size of an axis of a value, as a float32 scalar of the graph. */
export function sizeAlong({ graph }: Program, value: string, axis: number): string {
  const size = graph.emit("Shape", [value], { start: int(axis), end: int(axis + 1) });
  return graph.emit("Reshape", [graph.emit("Cast", [size], { to: int(1) }), graph.vector([])]);
}
