import type { Layout } from "../graph/layout.ts";
import type { Role } from "../ops/flow.ts";

/** One axis of one parameter that belongs to a width. */
export interface WidthPart {
  readonly parameter: string;
  readonly axis: number;
  readonly role: Role;
  readonly layout: Layout;
}

/** A set of coupled axes: everything that must change size together. */
export interface Width {
  /** Taken from the name of the first producer's weight, e.g. "hidden1" for "hidden1.weight". */
  readonly id: string;
  /** Number of units. */
  readonly size: number;
  readonly growable: boolean;
  /** Why it cannot grow exactly; empty where it can. */
  readonly reason: string;
  readonly parts: readonly WidthPart[];
  /** Where its outgoing weights read it: the activations of its units. */
  readonly reads: readonly WidthRead[];
}

/** An axis of an activation that carries a width. */
export interface WidthRead {
  readonly value: string;
  readonly axis: number;
  readonly layout: Layout;
}
