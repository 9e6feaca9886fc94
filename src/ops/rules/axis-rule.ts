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
 * What a parameter axis is to a width; it decides the values of its new slices.
 * - `incoming`: weights that make the unit (a row of a Gemm's weight, a filter of a Conv, a column of an embedding)
 * - `outgoing`: weights that the unit is multiplied with and summed over
 * - `shift`: added to the unit (a bias, BatchNorm's shift, a running mean)
 * - `scale`: multiplied with the unit (BatchNorm's scale, a running variance)
 * - `offset`: the shift behind a normalization over the units themselves (LayerNorm's), where a new unit has no
 *   other value of its own
 */
export type Role = "incoming" | "outgoing" | "shift" | "scale" | "offset";

/** The result of carrying a layout across a tie: a layout, or the reason why it cannot pass. */
export type Carried = Layout | Blocked;

/** Why a layout cannot pass, and the ways of cutting the same axis into units that would. */
export interface Blocked extends Refusal {
  readonly instead?: readonly Grain[];
}

/** A way to cut an axis into units: 24 positions as 4 heads, `{ layout: [{ inner: 6 }], units: 4 }`. */
export interface Grain {
  readonly layout: Layout;
  readonly units: number;
  /** Finer ways, for where this one cannot pass either. */
  readonly otherwise?: readonly Grain[];
}

/** Two axes that must change size together. A width that reaches one of them reaches the other. */
export interface Tie {
  readonly a: AxisRef;
  readonly b: AxisRef;
  /** Layout of `b` from the layout of `a`; the identity where absent. */
  readonly forward?: (layout: Layout) => Carried;
  /** Layout of `a` from the layout of `b`; the identity where absent. */
  readonly backward?: (layout: Layout) => Carried;
  /** Where the layout of `a` lies at one position alone of an axis that `a` unfolds into beside `b`. */
  readonly forwardAt?: (layout: Layout) => Placed | undefined;
}

/** A layout at one position of another axis: the keys of fused queries, keys and values [3, heads · size], at 1. */
export interface Placed {
  readonly layout: Layout;
  readonly axis: number;
  readonly position: number;
}

/** An output that holds one position alone of an axis of an input. */
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
      /** What an input that is not there stands for, and the attribute that it takes the place of. */
      readonly absent?: { readonly values: readonly number[]; readonly attribute: string };
    }
  | { readonly attribute: string; readonly element?: number };

/**
 * An integer that follows the size of an axis, so that a growth rewrites it: a literal Reshape target, a Slice's end,
 * Conv's group.
 */
export interface Written {
  readonly at: AxisRef;
  readonly place: Place;
  /** What the integer becomes where `at` has this layout with so many units; the size of the axis where absent. */
  readonly becomes?: (layout: Layout, units: number) => Dim;
}

/**
 * A number that is multiplied by (old size / new size) to this power when an axis grows: a float attribute (with its
 * value where it is not written), a parameter, or an output.
 */
export interface Repair {
  readonly target:
    | { readonly attribute: string; readonly otherwise: number }
    | { readonly input: number }
    | { readonly output: number };
  readonly power: number;
}

/** An axis over which a node computes something that new units take part in: a mean, a sum, a normalization. */
export interface Aggregate {
  readonly at: AxisRef;
  /** What keeps the result as it was where new units hold `fresh`: repairs (often none), or why nothing does. */
  readonly accepts: (fresh: Contents) => readonly Repair[] | Refusal;
  /** Whether output 0 is the mean over this axis (and no other). */
  readonly mean?: boolean;
}

/** What a rule may ask about the inputs of its node beside what they hold. */
export interface Relations {
  /** Whether input `index` is the mean of input `of` over the width. */
  isMeanOf(index: number, of: number): boolean;
}

/** An axis that must not grow. */
export interface BlockedAxis {
  readonly at: AxisRef;
  readonly reason: string;
  /** Whether what remains of the axis is only moved along it: no position has a part in another. */
  readonly apart?: boolean;
}

/** How the axes of a node hang together. An axis that is in no tie and not free blocks whatever reaches it. */
export interface AxisRule {
  readonly ties: readonly Tie[];
  /** What an axis of a parameter is to the width, where the parameter is this input. */
  readonly roles?: readonly { readonly at: AxisRef; readonly role: Role }[];
  /** Why an axis must not grow; takes precedence over ties. */
  readonly blocked?: readonly BlockedAxis[];
  /** Axes that may change without any other axis changing: summed over by a weight that ties both sides already. */
  readonly ends?: readonly AxisRef[];
  readonly written?: readonly Written[];
  readonly aggregates?: readonly Aggregate[];
  readonly picks?: readonly Pick[];
  /** What one unit is called where this node makes it, e.g. "channel"; "neuron" where absent. */
  readonly unit?: string;
  /**
   * What new units hold in the outputs, given what they hold in the inputs that carry the width (undefined for those
   * that do not); `elementwise` of fresh.ts where absent.
   */
  readonly contents?: (inputs: readonly (Contents | undefined)[], relations: Relations) => Contents | Refusal;
  /**
   * What becomes of a gradient where a unit is zero on every example: `flat` lets none through (ReLU), `steep` far too
   * much (BatchNorm, by one over the root of epsilon). Absent where it passes.
   */
  readonly atZero?: "flat" | "steep";
}

export const input = (index: number, axis: number): AxisRef => ({ side: "input", index, axis });
export const output = (axis: number, index = 0): AxisRef => ({ side: "output", index, axis });

/** Ties two axes that have the same layout. */
export const tie = (a: AxisRef, b: AxisRef): Tie => ({ a, b });

/** How many units a layout has on an axis of `size` positions; 0 where the width is not on it. */
export function unitsOn(layout: Layout, size: number): number {
  const fixed = layoutSize(layout, 0);
  const inner = layoutSize(layout, 1) - fixed;
  return inner === 0 ? 0 : (size - fixed) / inner;
}

/** Where position `position` of an axis of `size` positions lies once the layout has `units` units. */
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
