import type { Dim } from "../../graph/dim.ts";
import type { Repair } from "../../ops/rules/axis-rule.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Choice } from "./choice.ts";
import type { Strategy } from "./strategy.ts";
import type { MethodName, Width, WidthAxis, WidthPart } from "./width.ts";

/** An integer of the model that changes; symbolic if it is computed from other sizes. */
export interface NumberEdit {
  /** First output of the node that contains or reads it. */
  readonly node: string;
  readonly input?: number;
  readonly attribute?: string;
  readonly element?: number;
  /** The default that an absent input stands for, and the attribute that it replaces. */
  readonly absent?: { readonly values: readonly number[]; readonly attribute: string };
  readonly to: Dim;
}

/** A real number of the model that is multiplied by a factor. */
export interface RepairEdit {
  /** First output of the node. */
  readonly node: string;
  readonly target: Repair["target"];
  readonly factor: number;
}

/** What a growth does, as plain JSON: it can be printed, stored and replayed. */
export interface GrowthPlan {
  readonly width: string;
  /** Units before and after. */
  readonly from: number;
  readonly to: number;
  readonly method: MethodName;
  readonly strategy: string;
  readonly seed: number;
  /**
   * Number of the first new unit among all that the width ever had, by which random values are drawn; default `from`.
   * A unit that replaces a removed one must not draw what that one, or a neighbor that moved up, drew.
   */
  readonly born?: number;
  /** What a strategy that looks at data chose. */
  readonly choice?: Choice;
  /** Which axis of which parameter grows, where its new slices go (layout) and what they are filled with. */
  readonly edits: readonly WidthPart[];
  readonly numbers: readonly NumberEdit[];
  readonly repairs: readonly RepairEdit[];
  /** The axes of activations that grow; the result is checked against them. */
  readonly carried: readonly WidthAxis[];
}

export interface GrowthRequest {
  /** Units to add. */
  readonly by: number;
  readonly strategy: Strategy;
  readonly seed: number;
  /** For a strategy that looks at data: what it chose. */
  readonly choice?: Choice | undefined;
  /** See {@link GrowthPlan.born}. */
  readonly born?: number | undefined;
}

/** Plans to widen `width`. Throws `GROWTH` if the request cannot be met; changes nothing. */
export function planGrowth(width: Width, { by, strategy, seed, choice, born }: GrowthRequest): GrowthPlan {
  checkGrowth(width, by, strategy);
  if (born !== undefined && (!Number.isSafeInteger(born) || born < width.size)) {
    throw new EspalierError("ARGUMENT", {
      thing: `widening ${width.id}`,
      rule: `the number of its first new unit must be whole, and at least ${width.size}`,
      received: born,
    });
  }
  if (strategy.choose !== undefined && choice === undefined) {
    throw new EspalierError("ARGUMENT", {
      thing: `strategy ${strategy.name}`,
      rule: "needs data to make new units, but none was given",
      received: { width: width.id, by },
      remedy: "Give it data, or use a strategy that needs none, such as random.",
    });
  }
  const to = width.size + by;
  return {
    width: width.id,
    from: width.size,
    to,
    method: width.method,
    strategy: strategy.name,
    seed,
    ...(born === undefined || born === width.size ? {} : { born }),
    ...(choice === undefined ? {} : { choice }),
    edits: width.parts,
    ...graphEdits(width, to),
  };
}

/** Throws `ARGUMENT` or `NOT_GROWABLE` if a width cannot grow by `by` units, or the strategy cannot make them. */
export function checkGrowth(width: Width, by: number, strategy: Strategy): void {
  if (!Number.isSafeInteger(by) || by < 1) {
    throw new EspalierError("ARGUMENT", {
      thing: `widening ${width.id}`,
      rule: "`by` must be a positive whole number of units",
      received: by,
      remedy: "Give the number of units to add, e.g. { by: 16 }.",
    });
  }
  if (!width.growable) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: `width "${width.id}"`,
      rule: `cannot be widened exactly: ${width.reason}`,
      received: { by },
      remedy: "Widen another layer.",
    });
  }
  if (by % width.multiple !== 0) {
    throw new EspalierError("ARGUMENT", {
      thing: `widening ${width.id}`,
      rule: `grows exactly only by multiples of ${width.multiple} units, because every unit must be copied equally often (${width.method})`,
      received: by,
      remedy: `Widen it by ${width.multiple}, which doubles it.`,
    });
  }
  checkStrategy(width, by, strategy);
}

/** Throws `NOT_GROWABLE` if a strategy cannot make units of a width, `ARGUMENT` if it cannot make that number of them. */
function checkStrategy(width: Width, by: number, { name, refuses, multiple = 1 }: Strategy): void {
  const refusal = refuses?.(width);
  if (refusal !== undefined) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: `width "${width.id}"`,
      rule: `cannot be widened by strategy ${name}: ${refusal}`,
      received: { by },
      remedy: "Use another strategy, such as random.",
    });
  }
  if (by % multiple === 0) return;
  throw new EspalierError("ARGUMENT", {
    thing: `widening ${width.id}`,
    rule: `strategy ${name} makes units in multiples of ${multiple}`,
    received: by,
    remedy: `Widen by ${by + multiple - (by % multiple)}.`,
  });
}

/** What a growth to `to` units changes in the nodes of the graph. */
export function graphEdits(
  width: Pick<Width, "written" | "repairs" | "size" | "carried">,
  to: number,
): Pick<GrowthPlan, "numbers" | "repairs" | "carried"> {
  return {
    numbers: width.written.map(({ becomes, ...place }) => ({ ...place, to: becomes(to) })),
    repairs: width.repairs.map(({ node, target, power }) => ({
      node,
      target,
      factor: (width.size / to) ** power,
    })),
    carried: width.carried,
  };
}
