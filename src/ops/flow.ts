import type { Layout } from "../graph/layout.ts";
import { sameLayout, unitLayout } from "../graph/layout.ts";

/** One axis of one input or output of a node. */
export interface AxisRef {
  readonly side: "input" | "output";
  readonly index: number;
  readonly axis: number;
}

/**
 * What a parameter axis is to a width; it decides the values of its new slices.
 * - `incoming`: weights that make the unit (a row of a Gemm's weight, a filter of a Conv)
 * - `outgoing`: weights that the unit is multiplied with and summed over
 * - `shift`: added to the unit (a bias, BatchNorm's shift, a running mean); new entries are 0
 * - `scale`: multiplied with the unit (BatchNorm's scale, a running variance); new entries are 1
 */
export type Role = "incoming" | "outgoing" | "shift" | "scale";

/** The result of carrying a layout across a tie: a layout, or the reason why it cannot pass. */
export type Carried = Layout | { readonly blocked: string };

/** Two axes that must change size together. A width that reaches one of them reaches the other. */
export interface Tie {
  readonly a: AxisRef;
  readonly b: AxisRef;
  /** Layout of `b` from the layout of `a`; the identity where absent. */
  readonly forward?: (layout: Layout) => Carried;
  /** Layout of `a` from the layout of `b`; the identity where absent. */
  readonly backward?: (layout: Layout) => Carried;
}

/** How the axes of a node hang together. An axis that is in no tie and not free blocks whatever reaches it. */
export interface Flow {
  readonly ties: readonly Tie[];
  /** What an axis of a parameter is to the width, where the parameter is this input. */
  readonly roles?: readonly { readonly at: AxisRef; readonly role: Role }[];
  /** Why an axis must not grow; takes precedence over ties. */
  readonly blocked?: readonly { readonly at: AxisRef; readonly reason: string }[];
  /** Axes that may change without any other axis changing: summed over by a weight that ties both sides already. */
  readonly ends?: readonly AxisRef[];
}

export const input = (index: number, axis: number): AxisRef => ({ side: "input", index, axis });
export const output = (axis: number, index = 0): AxisRef => ({ side: "output", index, axis });

/** Ties two axes that have the same layout. */
export const tie = (a: AxisRef, b: AxisRef): Tie => ({ a, b });

/** Lets only a plain axis of units through, e.g. where a kernel wants whole groups. */
export function onlyUnits(reason: string): (layout: Layout) => Carried {
  return (layout) => (sameLayout(layout, unitLayout) ? layout : { blocked: reason });
}
