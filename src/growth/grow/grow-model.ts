import type { Model } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { checkOptionNames } from "../../tensor/known-options.ts";
import { equalUnits } from "../examine/redundant.ts";
import { Analysis } from "../find/analysis.ts";
import { ioWidths } from "../find/io-widths.ts";
import { likeOldRows, vocabularies, vocabularyOf } from "../find/vocabulary.ts";
import { widthNow, widthOf } from "../find/widths.ts";
import { type Choice, readChoice } from "../plan/choice.ts";
import type { Patch } from "../plan/indexed-graph.ts";
import { type GrowthPlan, type GrowthRequest, planGrowth } from "../plan/plan.ts";
import type { Strategy } from "../plan/strategy.ts";
import type { Width } from "../plan/width.ts";
import { strategyOf } from "../strategies/index.ts";
import { growthPatch } from "./apply.ts";
import { deepenModel } from "./deepen.ts";
import { type LeftWidth, LeftWidths } from "./every-width.ts";
import { PassingTensors } from "./passing-tensors.ts";

/** Units to add, or a factor on the present number (a fraction if the result is whole). */
export type Amount = { readonly by: number } | { readonly times: number };

/** A width to widen; `all` stands for every width that can grow by that amount. */
export type Widening = Amount & { readonly width: string };

/** Residual blocks to add after a width, which are the identity at birth. */
export interface Deepening {
  readonly deepen: string;
  readonly by: number;
  /** Units inside a block; default: as many as the width has. */
  readonly hidden?: number;
}

/** New features of an input, or new classes of an output. `name` may be left out if only one can grow. */
export type Bordering = Amount & { readonly border: "input" | "output"; readonly name?: string };

/** New ids for tables that integers look up, and for outputs with a class for each; named by the input that feeds them. */
export type VocabularyGrowth = (Amount | { readonly to: number }) & {
  readonly vocabulary: string | undefined;
};

export type Growth = Widening | Deepening | Bordering | VocabularyGrowth;

/** One growth as it was carried out: plain JSON, which {@link replay} repeats. */
export type GrowthStep = WideningStep | DeepeningStep;
export type WideningStep = GrowthPlan & { readonly kind: "width" | "input" | "output" | "vocabulary" };
export interface DeepeningStep {
  readonly kind: "depth";
  readonly width: string;
  readonly by: number;
  readonly hidden: number;
  readonly seed: number;
}

export interface GrowOptions {
  /** Values of new units; default "random". */
  readonly strategy?: string | Strategy;
  /** Seed of those values; default 0. */
  readonly seed?: number;
  /** For a single growth by a strategy that looks at data: what it chose. */
  readonly choice?: Choice;
}

/** A model that has grown, and how. */
export interface GrownModel {
  readonly model: Model;
  /** What was done, in order. */
  readonly steps: readonly GrowthStep[];
  /** Widths that `all` left as they were. */
  readonly left: readonly LeftWidth[];
}

/**
 * Grows a model, one growth after the other, without changing what it computes. Pure. Throws `UNKNOWN_WIDTH`,
 * `NOT_GROWABLE` or `ARGUMENT`.
 */
export function grow(model: Model, growths: readonly Growth[], options: GrowOptions = {}): GrownModel {
  checkOptionNames("grow", options, { strategy: true, seed: true, choice: true });
  const { strategy = "random", seed = 0, choice } = options;
  const values = { strategy: typeof strategy === "string" ? strategyOf(strategy) : strategy, seed, choice };
  const growing = new Growing(model, values);
  for (const growth of growths) {
    if ("deepen" in growth) growing.deepen(growth);
    else if ("border" in growth) growing.widenBorder(growth);
    else if ("vocabulary" in growth) growing.widenVocabulary(growth);
    else if (growth.width === "all") growing.widenAll(growth);
    else growing.widen(growth.width, growth);
  }
  return growing.result();
}

/** How new units are filled. */
type Values = Omit<GrowthRequest, "by">;

class Growing {
  readonly #values: Values;
  readonly #steps: GrowthStep[] = [];
  readonly #left: LeftWidth[] = [];
  /** Of the model as it is now: a growth moves the positions of other widths on the same axes. */
  #analysis: Analysis;
  readonly #passing = new PassingTensors();

  constructor(model: Model, values: Values) {
    this.#analysis = new Analysis(model);
    this.#values = values;
  }

  result(): GrownModel {
    return { model: this.#analysis.model, steps: this.#steps, left: this.#left };
  }

  widen(id: string, amount: Amount): void {
    this.#apply("width", this.#width(id), amount);
  }

  widenAll(amount: Amount): void {
    const ids = this.#analysis.widths.map(({ id }) => id);
    const left = new LeftWidths(ids);
    for (const id of ids) {
      try {
        this.widen(id, amount);
      } catch (error) {
        left.add(id, error, this.#analysis.find(id));
      }
    }
    this.#left.push(...left.all);
  }

  widenBorder({ border, name, ...amount }: Bordering): void {
    this.#apply(border, borderWidth(this.#analysis.model, border, name), amount);
  }

  widenVocabulary({ vocabulary, ...amount }: VocabularyGrowth): void {
    const { id, size, tables, heads } = vocabularyOf(this.#analysis.model, vocabulary);
    const by = unitsOf({ id, size }, "to" in amount ? { by: amount.to - size } : amount);
    for (const { id: table } of tables) {
      this.#apply("vocabulary", likeOldRows(tableOf(this.#analysis.model, table)), { by });
    }
    for (const head of heads) {
      const now = head.growable ? borderWidth(this.#analysis.model, "output", head.id) : undefined;
      if (now !== undefined) this.#apply("output", likeOldRows(now), { by });
      else this.#left.push({ width: head.id, reason: head.reason });
    }
  }

  deepen({ deepen, by, hidden }: Deepening): void {
    const width = this.#width(deepen);
    const step = { by, hidden: hidden ?? width.size, seed: this.#values.seed };
    this.#analysis = new Analysis(deepenModel(this.#analysis.model, width, step));
    this.#steps.push({ kind: "depth", width: width.id, ...step });
  }

  #apply(kind: WideningStep["kind"], width: Width, amount: Amount): void {
    const by = unitsOf(width, amount);
    const grown = (born?: number) => {
      const plan = planGrowth(width, { by, ...this.#values, born });
      const patch = growthPatch(this.#analysis.flows.graph, plan, this.#values.strategy);
      return { plan, patch, twins: bornEqual(width, plan, patch) };
    };
    let best = grown();
    // A model does not know which units it once had: after a shrink, a unit that moved up may have had these same draws.
    // Values chosen from data stay as measured.
    while (best.twins > 0 && this.#values.choice === undefined) {
      const next = grown((best.plan.born ?? best.plan.from) + best.plan.to);
      // Copies are alike whatever is drawn.
      if (next.twins >= best.twins) break;
      best = next;
    }
    const { parameters } = this.#analysis.flows.graph;
    const replaced = [...best.patch.parameters.keys()].map((name) => parameters.get(name));
    this.#passing.made(best.patch.parameters, parameters);
    this.#analysis.apply(best.patch);
    this.#passing.free(replaced, parameters);
    this.#steps.push({ kind, ...best.plan });
  }

  #width(id: string): Width {
    return widthNow(this.#analysis, id);
  }
}

/** How many groups of equal units contain a new one. */
function bornEqual(width: Width, { from, to }: GrowthPlan, { parameters }: Patch): number {
  const groups = equalUnits({ ...width, size: to }, parameters);
  return groups.filter((group) => group.some((unit) => unit >= from)).length;
}

/** The axis of an input or output that can grow. Throws `NOT_GROWABLE` if none can, `UNKNOWN_WIDTH` if several can. */
function borderWidth(model: Model, border: "input" | "output", name: string | undefined): Width {
  const widths = ioWidths(model, border);
  if (name !== undefined) return widthOf(widths, name);
  const [only, ...more] = widths.filter((width) => width.growable);
  if (only !== undefined && more.length === 0) return only;
  if (only === undefined) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: `the model's ${border}s`,
      rule:
        widths.length === 0 ? "have no axis of a fixed size that could grow" : "have no axis that can grow",
      received: widths.map(({ id, reason }) => `${id}: ${reason}`),
    });
  }
  throw new EspalierError("UNKNOWN_WIDTH", {
    thing: `the ${border} to grow`,
    rule: "must be named if several can grow",
    received: [only, ...more].map(({ id }) => id),
    remedy: `For example ${only.id}=+1.`,
  });
}

/** The rows of a table that ids look up. */
function tableOf(model: Model, id: string): Width {
  return widthOf(
    vocabularies(model).flatMap(({ tables }) => tables),
    id,
  );
}

/** Units to add. Throws `ARGUMENT` for a factor that does not give a whole number of units. */
export function unitsOf({ id, size }: Pick<Width, "id" | "size">, amount: Amount): number {
  if ("by" in amount) return amount.by;
  const to = size * amount.times;
  const whole = Math.round(to);
  // 10 × 1.1 is a hair more than 11 in floating point.
  if (whole > size && Math.abs(to - whole) <= 1e-9 * whole) return whole - size;
  throw new EspalierError("ARGUMENT", {
    thing: `widening ${id}`,
    rule: `${size} units times ${amount.times} must be a whole number of more than ${size}`,
    received: to,
    remedy: "Give the number of units to add instead.",
  });
}

/**
 * Grows a model by steps that were planned for it earlier. A widening is applied only if planning it again gives the
 * same plan: a plan from elsewhere can be trusted no more than a model can. Throws `FORMAT` if it does not, and
 * what {@link grow} throws.
 */
export function replay(model: Model, steps: readonly GrowthStep[]): Model {
  return steps.reduce(repeat, new Analysis(model)).model;
}

function repeat(analysis: Analysis, step: GrowthStep): Analysis {
  if (step.kind === "depth") {
    return new Analysis(deepenModel(analysis.model, widthNow(analysis, step.width), step));
  }
  const { kind, ...plan } = step;
  const strategy = strategyOf(plan.strategy);
  const found = plannedWidth(analysis, kind, plan.width);
  const width = plan.edits.some(({ fill }) => fill === "alike") ? likeOldRows(found) : found;
  const by = plan.to - plan.from;
  // A strategy that needs no data has chosen nothing.
  const choice = strategy.choose === undefined ? undefined : readChoice(plan.choice, by, width.parts);
  const again = planGrowth(width, { by, strategy, seed: plan.seed, choice, born: plan.born });
  if (isSame(again, plan)) {
    analysis.apply(growthPatch(analysis.flows.graph, again, strategy));
    return analysis;
  }
  throw new EspalierError("FORMAT", {
    thing: `plan to widen ${plan.width}`,
    rule: "differs from what planning this growth of this model gives",
    received: { width: plan.width, from: plan.from, to: plan.to },
    remedy: "Make the plan again; another version of espalier may have written it, or it was edited.",
  });
}

function plannedWidth(analysis: Analysis, kind: WideningStep["kind"], id: string): Width {
  if (kind === "width") return widthNow(analysis, id);
  return kind === "vocabulary" ? tableOf(analysis.model, id) : widthOf(ioWidths(analysis.model, kind), id);
}

/** Whether JSON says the same as a plan, whatever the order of its keys. Reads the JSON no deeper than the plan goes. */
function isSame(plan: unknown, json: unknown): boolean {
  if (!isRecord(plan) || !isRecord(json)) return plan === json;
  const keys = definedKeys(plan);
  return (
    Array.isArray(plan) === Array.isArray(json) &&
    keys.length === definedKeys(json).length &&
    keys.every((key) => isSame(plan[key], json[key]))
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function definedKeys(record: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(record).filter((key) => record[key] !== undefined);
}
