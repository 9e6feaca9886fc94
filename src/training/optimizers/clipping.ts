import type { GraphBuilder } from "../../graph/builder.ts";

/** How gradients are clipped. */
export interface Clipping {
  /** Largest Euclidean norm of all gradients together; larger ones are scaled down. */
  readonly norm: number | undefined;
  /** Largest magnitude of one entry. */
  readonly value: number | undefined;
}

/** Clips each entry in the graph, if asked to. */
export function clipGradients(
  graph: GraphBuilder,
  gradients: ReadonlyMap<string, string>,
  { value }: Clipping,
): ReadonlyMap<string, string> {
  if (value === undefined) return gradients;
  const limits = [graph.scalar(-value), graph.scalar(value)];
  return new Map([...gradients].map(([name, gradient]) => [name, graph.emit("Clip", [gradient, ...limits])]));
}

/** What to multiply gradients by so that their norm is at most `norm`, as in `torch.nn.utils.clip_grad_norm_`. */
export function normScale({ norm }: Clipping, sumOfSquares: () => number): number {
  return norm === undefined ? 1 : Math.min(1, norm / (Math.sqrt(sumOfSquares()) + 1e-6));
}
