import type { Model } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import { applyPlan } from "./apply.ts";
import { type GrowthPlan, planGrowth } from "./plan.ts";
import { strategyOf } from "./strategies/index.ts";
import type { Strategy } from "./strategy.ts";
import type { Width } from "./width.ts";
import { findWidths, widthOf } from "./widths.ts";

/**
 * One width to widen, by a number of units or to a multiple of its size (a fraction where that comes out whole). The
 * width `all` stands for every one that can grow so.
 */
export type Widening =
  | { readonly width: string; readonly by: number }
  | { readonly width: string; readonly times: number };

export interface GrowOptions {
  /** Values of new units; default "random". */
  readonly strategy?: string | Strategy;
  /** Of those values; default 0. */
  readonly seed?: number;
}

/** A model that has grown, and how. */
export interface GrownModel {
  readonly model: Model;
  /** In the order in which they were applied; {@link replay} repeats them. */
  readonly plans: readonly GrowthPlan[];
  /** Widths that `all` left as they were. */
  readonly left: readonly { readonly width: string; readonly reason: string }[];
}

/**
 * Widens a model's layers one after the other without changing what it computes. Pure. Throws `UNKNOWN_WIDTH`,
 * `NOT_GROWABLE` or `ARGUMENT`.
 */
export function grow(
  model: Model,
  widenings: readonly Widening[],
  { strategy = "random", seed = 0 }: GrowOptions = {},
): GrownModel {
  const values = typeof strategy === "string" ? strategyOf(strategy) : strategy;
  const growing = new Growing(model, values, seed);
  for (const widening of widenings) {
    if (widening.width === "all") growing.widenAll(widening);
    else growing.widen(widening.width, widening);
  }
  return growing.result();
}

type Amount = { readonly by: number } | { readonly times: number };

class Growing {
  readonly #strategy: Strategy;
  readonly #seed: number;
  readonly #plans: GrowthPlan[] = [];
  readonly #left: { readonly width: string; readonly reason: string }[] = [];
  #model: Model;
  /** Of the model as it is now: a growth moves what other widths have on the same axes. */
  #widths: readonly Width[] | undefined;

  constructor(model: Model, strategy: Strategy, seed: number) {
    this.#model = model;
    this.#strategy = strategy;
    this.#seed = seed;
  }

  result(): GrownModel {
    return { model: this.#model, plans: this.#plans, left: this.#left };
  }

  widen(id: string, amount: Amount): void {
    const width = widthOf(this.#found(), id);
    const by = unitsOf(width, amount);
    const plan = planGrowth(width, { by, strategy: this.#strategy, seed: this.#seed });
    this.#model = applyPlan(this.#model, plan, this.#strategy);
    this.#widths = undefined;
    this.#plans.push(plan);
  }

  widenAll(amount: Amount): void {
    const before = this.#plans.length;
    const ids = this.#found().map(({ id }) => id);
    for (const id of ids) {
      try {
        this.widen(id, amount);
      } catch (error) {
        if (!(error instanceof EspalierError)) throw error;
        const width = this.#found().find((one) => one.id === id);
        const own = width?.growable === false ? width.reason : error.rule;
        this.#left.push({ width: id, reason: width === undefined ? "the growths before took its place" : own });
      }
    }
    if (this.#plans.length > before) return;
    throw new EspalierError("NOT_GROWABLE", {
      thing: "all widths",
      rule: "none can grow so",
      received: this.#left.map(({ width, reason }) => `${width}: ${reason}`),
    });
  }

  #found(): readonly Width[] {
    this.#widths ??= findWidths(this.#model);
    return this.#widths;
  }
}

/** Units to add. Throws `ARGUMENT` for a multiple that is no whole number of units. */
function unitsOf({ id, size }: Width, amount: Amount): number {
  if ("by" in amount) return amount.by;
  const to = size * amount.times;
  const whole = Math.round(to);
  // 10 × 1.1 is a hair more than 11 in floating point.
  if (whole > size && Math.abs(to - whole) <= 1e-9 * whole) return whole - size;
  throw new EspalierError("ARGUMENT", {
    thing: `widening ${id}`,
    rule: `${size} units times ${amount.times} must be a whole number of more than ${size}`,
    received: to,
    remedy: "Say how many units to add instead.",
  });
}

/**
 * Grows a model by plans that were made for it before. Each is applied only if planning the same growth again gives the
 * same plan: a plan from elsewhere can be trusted no more than a model. Throws `FORMAT` where it does not, and what
 * {@link grow} throws.
 */
export function replay(model: Model, plans: readonly GrowthPlan[]): Model {
  return plans.reduce((grown, plan) => {
    const strategy = strategyOf(plan.strategy);
    const width = widthOf(findWidths(grown), plan.width);
    const again = planGrowth(width, { by: plan.to - plan.from, strategy, seed: plan.seed });
    if (canonical(again) === canonical(plan)) return applyPlan(grown, again, strategy);
    throw new EspalierError("FORMAT", {
      thing: `plan to widen ${plan.width}`,
      rule: "must be what planning this growth of this model gives, and differs",
      received: { width: plan.width, from: plan.from, to: plan.to },
      remedy: "Plan it anew; another version of espalier may have written it, or someone changed it.",
    });
  }, model);
}

/** JSON with the keys in order, so that equal values are equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
