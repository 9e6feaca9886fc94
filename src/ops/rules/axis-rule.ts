import type { Dim } from "../../graph/dim.ts";
import type { Layout } from "../../graph/layout.ts";
import { layoutSize } from "../../graph/layout.ts";
import type { Contents, Refusal } from "./contents.ts";

/** One axis of one input or output of a node. */
export interface AxisRef {
  readonly side: "input" | "output";
  readonly index: number;
  readonly axis: number;
}

/**
 * The part that a parameter's axis plays for a width; it decides the values of the new slices.
 * - `incoming`: weights that produce the unit (a row of a Gemm's weight, a filter of a Conv, a column of an embedding)
 * - `outgoing`: weights that the unit is multiplied by and summed over
 * - `shift`: added to the unit (a bias, BatchNorm's shift, a running mean)
 * - `scale`: multiplied by the unit (BatchNorm's scale, a running variance)
 * - `offset`: the shift after a normalization over the units themselves (LayerNorm's): the only value that a new unit
 *   has there
 */
export type Role = "incoming" | "outgoing" | "shift" | "scale" | "offset";

/** The result of carrying a layout across a tie: a layout, or the reason that it cannot pass. */
export type Carried = Layout | Blocked;

/** Why a layout cannot pass, and ways to cut the same axis into units that could. */
export interface Blocked extends Refusal {
  readonly instead?: readonly Grain[];
}

/** A way to cut an axis into units: 24 positions as 4 heads, `{ layout: [{ inner: 6 }], units: 4 }`. */
export interface Grain {
  readonly layout: Layout;
  readonly units: number;
  /** Finer ways, to try if this one cannot pass either. */
  readonly otherwise?: readonly Grain[];
}

/** Two axes that must change size together. A width that reaches one of them reaches the other. */
export interface Tie {
  readonly a: AxisRef;
  readonly b: AxisRef;
  /** Layout of `b` from the layout of `a`; the identity if absent. */
  readonly forward?: (layout: Layout) => Carried;
  /** Layout of `a` from the layout of `b`; the identity if absent. */
  readonly backward?: (layout: Layout) => Carried;
  /** If the layout of `a` is at only one position of an axis that `a` unfolds into in addition to `b`: where. */
  readonly forwardAt?: (layout: Layout) => Placed | undefined;
}

/** A layout at one position of another axis: the keys of fused queries, keys and values [3, heads · size], at 1. */
export interface Placed {
  readonly layout: Layout;
  readonly axis: number;
  readonly position: number;
}

/** An output that contains only one position of an axis of an input. */
export interface Pick {
  readonly at: AxisRef;
  readonly position: number;
  /** Number of the output. */
  readonly output: number;
}

/** An integer written in the model: an element of an integer input (a scalar's is 0), or an attribute. */
export type Place =
  | {
      readonly input: number;
      readonly element: number;
      /** What a missing input stands for, and the attribute that the input replaces. */
      readonly absent?: { readonly values: readonly number[]; readonly attribute: string };
    }
  | { readonly attribute: string; readonly element?: number };

/**
 * An integer that follows the size of an axis, so that growth rewrites it: a literal Reshape target, a Slice's end,
 * Conv's group.
 */
export interface Written {
  readonly at: AxisRef;
  readonly place: Place;
  /** What the integer becomes if `at` has this layout with `units` units; if absent, the size of the axis. */
  readonly becomes?: (layout: Layout, units: number) => Dim;
}

/**
 * A number that is multiplied by (old size / new size) to this power when an axis grows: a float attribute (with its
 * default), a parameter, or an output.
 */
export interface Repair {
  readonly target:
    | { readonly attribute: string; readonly otherwise: number }
    | { readonly input: number }
    | { readonly output: number };
  readonly power: number;
}

/** An axis over which a node computes something that new units enter into: a mean, a sum, a normalization. */
export interface Aggregate {
  readonly at: AxisRef;
  /** What keeps the result unchanged if new units contain `fresh`: repairs (often none), or why nothing does. */
  readonly accepts: (fresh: Contents) => readonly Repair[] | Refusal;
  /** Whether output 0 is the mean over this axis (and no other). */
  readonly mean?: boolean;
  /** Whether a unit counts by its place among the others, so that only the last ones can go. */
  readonly inOrder?: boolean;
}

/** What a rule may ask about the inputs of its node besides their contents. */
export interface Relations {
  /** Whether input `index` is the mean of input `of` over the width. */
  isMeanOf(index: number, of: number): boolean;
}

/** An axis that must not grow. */
export interface BlockedAxis {
  readonly at: AxisRef;
  readonly reason: string;
  /** Whether the remaining positions only move along the axis, without mixing. */
  readonly apart?: boolean;
}

/** How the axes of a node depend on one another. An axis that is in no tie and not free blocks every width there. */
export interface AxisRule {
  readonly ties: readonly Tie[];
  /** The role of an axis if this input is a parameter. */
  readonly roles?: readonly { readonly at: AxisRef; readonly role: Role }[];
  /** Why an axis must not grow; takes precedence over ties. */
  readonly blocked?: readonly BlockedAxis[];
  /**
   * Axes that may change without any other axis changing: a weight that sums over them already ties both
   * sides.
   */
  readonly ends?: readonly AxisRef[];
  readonly written?: readonly Written[];
  readonly aggregates?: readonly Aggregate[];
  readonly picks?: readonly Pick[];
  /**
   * Rows of a table of weights, and (any axis of) the integers that look them up: rows appended after the old
   * ones do not affect them.
   */
  readonly tables?: readonly { readonly rows: AxisRef; readonly by: AxisRef }[];
  /** What a unit that this node makes is called, e.g. "channel"; "neuron" if absent. */
  readonly unit?: string;
  /**
   * The contents of new units in the outputs, given those in the inputs that carry the width (undefined for inputs
   * that do not); `elementwise` of contents.ts if absent.
   */
  readonly contents?: (inputs: readonly (Contents | undefined)[], relations: Relations) => Contents | Refusal;
  /**
   * What becomes of the gradient of a unit that is zero on every example: `flat` lets none through (ReLU), `steep` far
   * too much (BatchNorm, a factor of one over the root of epsilon). Absent if it passes.
   */
  readonly atZero?: "flat" | "steep";
}

export const input = (index: number, axis: number): AxisRef => ({ side: "input", index, axis });
export const output = (axis: number, index = 0): AxisRef => ({ side: "output", index, axis });

/** Ties two axes that have the same layout. */
export const tie = (a: AxisRef, b: AxisRef): Tie => ({ a, b });

/** How many units a layout has on an axis of `size` positions; 0 if the width is not on it. */
export function unitsOn(layout: Layout, size: number): number {
  const fixed = layoutSize(layout, 0);
  const inner = layoutSize(layout, 1) - fixed;
  return inner === 0 ? 0 : (size - fixed) / inner;
}

/** Where position `position` of an axis of `size` positions moves to once the layout has `units` units. */
export function positionAfter(layout: Layout, size: number, position: number, units: number): number {
  const before = unitsOn(layout, size);
  let [old, next] = [0, 0];
  for (const block of layout) {
    const [was, is] = [layoutSize([block], before), layoutSize([block], units)];
    if (position < old + was) return next + (position - old);
    [old, next] = [old + was, next + is];
  }
  return next + (position - old);
}
