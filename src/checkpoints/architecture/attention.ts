import { int } from "../../graph/model.ts";
import type { Net } from "./net.ts";
import { turn } from "./rotary.ts";

/** Lowest float32: the value with which masks replace a score. */
const lowest = -3.4028234663852886e38;

/** Numbers 0, 1, … for the positions of `ids` [batch, sequence]. */
export function positionsOf(net: Net, ids: string): string {
  const length = net.emit("Gather", [net.emit("Shape", [ids]), net.index(1)], { axis: int(0) });
  return net.emit("Range", [net.index(0), length, net.index(1)]);
}

/**
 * Whether a position [rows] may attend to another [columns]: not to later ones, nor further back than the
 * window.
 */
export function causalMask(net: Net, positions: string, window?: number): string {
  const [rows, columns] = [net.unsqueeze(positions, 1), net.unsqueeze(positions, 0)];
  const earlier = net.emit("LessOrEqual", [columns, rows]);
  if (window === undefined) return earlier;
  const near = net.emit("Less", [net.emit("Sub", [rows, columns]), net.index(window)]);
  return net.emit("And", [earlier, near]);
}

export interface Heads {
  /** Number of key/value heads, and of query heads for each of them. */
  readonly groups: number;
  readonly queries: number;
  readonly headDim: number;
}

/** [batch, sequence, heads · headDim] as [batch, groups, queries, sequence, headDim]. */
export function splitHeads(net: Net, x: string, { groups, queries, headDim }: Heads): string {
  return net.transpose(net.reshape(x, [0, 0, groups, queries, headDim]), [0, 2, 3, 1, 4]);
}

/** The inverse of {@link splitHeads}. */
export function joinHeads(net: Net, x: string): string {
  return net.reshape(net.transpose(x, [0, 3, 1, 2, 4]), [0, 0, -1]);
}

export interface Scoring {
  readonly scale: number;
  /** Where scores count; everywhere if absent. */
  readonly mask?: string;
  readonly softcap?: number | undefined;
  /** Added to the scores. */
  readonly bias?: string;
  readonly turned?: { readonly cos: string; readonly sin: string };
}

/** softmax(q·kᵀ·scale)·v, each of them [batch, groups, queries or 1, sequence, headDim]. */
export function attend(net: Net, [q, k, v]: readonly [string, string, string], scoring: Scoring): string {
  const { scale, mask, softcap, bias, turned } = scoring;
  const [query, key] = turned === undefined ? [q, k] : [turn(net, q, turned), turn(net, k, turned)];
  let scores = net.scaled(net.matmul(query, net.transpose(key, [0, 1, 2, 4, 3])), scale);
  scores = net.capped(scores, softcap);
  if (bias !== undefined) scores = net.add(scores, bias);
  if (mask !== undefined) scores = net.emit("Where", [mask, scores, net.scalar(lowest)]);
  return net.matmul(net.softmax(scores), v);
}
