import type { Dim } from "../../graph/dim.ts";
import type { Layout } from "../../graph/layout.ts";
import type { Repair, Role } from "../../ops/rules/axis-rule.ts";

/**
 * How the new slices of a parameter are made:
 * - `strategy`: as the strategy says for the parameter's role
 * - `zero`: zeros
 * - `mean`: the mean of the old units' slices
 * - `copy`: copies of the old units, in turn
 * - `part`: each weight of an old unit goes, at random, to one of the unit and its copies; the others get zero
 * - `draw`: N(0, 1 / units), for outgoing weights of units that are zero themselves
 * - `offset`: N(0, 0.1²), for a shift after a normalization over the units
 * - `alike`: N(0, size²) with the root mean square of the old units, for new rows of a table
 */
export type FillKind = "strategy" | "zero" | "mean" | "copy" | "part" | "draw" | "offset" | "alike";

/** One axis of one parameter that belongs to a width. */
export interface WidthPart {
  readonly parameter: string;
  readonly axis: number;
  readonly role: Role;
  readonly layout: Layout;
  /** How its new slices are made. */
  readonly fill: FillKind;
  /** Blocks of the layout, counted without fixed ones, whose new slices are zero regardless of the fill. */
  readonly zeroBlocks?: readonly number[];
}

/** How a width is grown without changing what the network computes; see methods.ts. */
export type MethodName = "zero outgoing" | "mean padding" | "zero padding" | "zero keys" | "copies";

/** A set of coupled axes: everything that must change size together. */
export interface Width {
  /** Taken from the name of the first producer's weight, e.g. "hidden1" for "hidden1.weight". */
  readonly id: string;
  /** Number of units. */
  readonly size: number;
  /** What one unit is, e.g. "neuron", "channel", "head". */
  readonly unit: string;
  readonly growable: boolean;
  /** Why it cannot grow exactly; empty if it can. */
  readonly reason: string;
  readonly method: MethodName;
  /** It grows by multiples of this many units. */
  readonly multiple: number;
  readonly parts: readonly WidthPart[];
  /** Where its outgoing weights read it: the activations of its units. */
  readonly reads: readonly WidthAxis[];
  /** Every axis of an activation that it is on. */
  readonly carried: readonly WidthAxis[];
  /** Integers of the model that follow its size. */
  readonly written: readonly WrittenSize[];
  /** Numbers of the model that change with its size. */
  readonly repairs: readonly NodeRepair[];
  /**
   * Why no unit may start with zero incoming weights: what follows does not keep zero, or lets no gradient (or far too
   * much of it) through there. Empty if one may. A function, because it traverses the graph once more.
   */
  readonly zeroIncoming: () => string;
  /**
   * Why new units may not be copies of single old ones that share out their outgoing weights. Empty if they may.
   * Also computed on demand.
   */
  readonly copying: () => string;
  /** The cost of one more unit; FLOPs of one forward pass, in the model's symbolic sizes. */
  readonly costPerUnit: { readonly parameters: number; readonly flops: Dim };
}

/** An axis of an activation that carries a width. */
export interface WidthAxis {
  readonly value: string;
  readonly axis: number;
  readonly layout: Layout;
}

/** An integer in an input or an attribute of a node that follows the size of a width. */
export interface WrittenSize {
  /** First output of the node. */
  readonly node: string;
  readonly input?: number;
  readonly attribute?: string;
  /** Index of the element, if it is in a list. */
  readonly element?: number;
  /** The default that an absent input stands for, and the attribute that it replaces. */
  readonly absent?: { readonly values: readonly number[]; readonly attribute: string };
  /** Its value if the width has `units` units; symbolic if it is computed from other sizes. */
  readonly becomes: (units: number) => Dim;
}

export interface NodeRepair extends Repair {
  /** First output of the node. */
  readonly node: string;
}
