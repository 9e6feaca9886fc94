import { join } from "node:path";
import type { Model } from "../../../src/graph/model.ts";
import { findWidths } from "../../../src/growth/find/widths.ts";
import { applyPlan } from "../../../src/growth/grow/apply.ts";
import { type GrowthPlan, planGrowth } from "../../../src/growth/plan/plan.ts";
import type { Width } from "../../../src/growth/plan/width.ts";
import { random } from "../../../src/growth/strategies/random.ts";
import { loadModel, saveModel } from "../../../src/models/model-file.ts";
import type { Sizes } from "../../../src/training/verification/sample-inputs.ts";
import {
  type OutputCheck,
  type Verification,
  verifyModels,
} from "../../../src/training/verification/verify.ts";
import { ExactModel } from "./exact-model.ts";
import type { Exchange } from "./exchange.ts";

interface Asked {
  /** Where the zoo's files are. */
  readonly folder: string;
  readonly models: readonly AskedModel[];
}

interface AskedModel {
  readonly name: string;
  readonly file: string;
  /** Whether ONNX Runtime supports all its operators. */
  readonly runs: boolean;
  /** Sizes to try for each symbolic axis. */
  readonly sizes: Readonly<Record<string, readonly number[]>>;
}

/** Units to add to a width that can grow by any number. */
const freeUnits = 3;
const seed = 7;
/** The oracle's tolerance, relative to the largest entry of an output. */
const limit = 1e-5;

/**
 * Answers, for each model of the zoo, its widths, and what growing each alone and all together does. Grown models
 * become files of the exchange.
 */
export async function zoo(exchange: Exchange): Promise<void> {
  const { folder, models } = await exchange.asked<Asked>();
  const answers: Record<string, unknown> = {};
  for (const asked of models) {
    try {
      answers[asked.name] = { error: "", ...(await growEach(asked, folder, exchange)) };
    } catch (thrown) {
      answers[asked.name] = { error: messageOf(thrown) };
    }
  }
  await exchange.answer(answers, new Map());
}

async function growEach({ name, file, runs, sizes }: AskedModel, folder: string, exchange: Exchange) {
  const model = await loadModel(join(folder, file));
  const widths = findWidths(model);
  const sets = runs ? sizeSets(sizes) : undefined;
  const exact = await ExactModel.of(model, sets ?? []);
  const grow = new Growths(model, sets, exact, (label) => exchange.path(`${name}.${label}.onnx`));
  const growable = widths.filter((width) => width.growable);
  const alone: unknown[] = [];
  for (const [index, width] of growable.entries()) {
    alone.push(await grow.record(width.id, `${index}`, () => [planned(width)]));
  }
  return {
    nodes: model.graph.nodes.length,
    widths: widths.map((width) => ({ ...factsOf(width), planning: planningError(width) })),
    alone,
    together: growable.length === 0 ? null : await grow.record("all", "all", () => planAll(model, growable)),
    inexact: exact.reason,
  };
}

/** Grows one model in many ways, and reports the result of each. */
class Growths {
  readonly #model: Model;
  /** Undefined if the model cannot run. */
  readonly #sizes: readonly Sizes[] | undefined;
  readonly #exact: ExactModel;
  readonly #path: (label: string) => string;

  constructor(
    model: Model,
    sizes: readonly Sizes[] | undefined,
    exact: ExactModel,
    path: (label: string) => string,
  ) {
    this.#model = model;
    this.#sizes = sizes;
    this.#exact = exact;
    this.#path = path;
  }

  /** Outputs before and after, of the model and of its exact twin; the file; the widths that are read back from it. */
  async record(width: string, label: string, plan: () => readonly GrowthPlan[]) {
    try {
      const plans = plan();
      const grown = applyAll(this.#model, plans);
      const file = this.#path(label);
      await saveModel(grown, file);
      const checked =
        this.#sizes === undefined ? null : await verifyModels(this.#model, grown, { sizes: this.#sizes });
      return {
        width,
        error: "",
        file,
        grown: plans.map(({ width, from, to }) => ({ width, from, to })),
        reread: findWidths(await loadModel(file)).map(factsOf),
        checked: checked === null ? null : { ...outcomeOf(checked), bounded: isBounded(checked) },
        exactlySame: this.#exact.reason === "" ? await this.#exact.isKeptBy(plans) : null,
      };
    } catch (thrown) {
      return { width, error: messageOf(thrown) };
    }
  }
}

function planned(width: Width): GrowthPlan {
  return planGrowth(width, { by: width.multiple > 1 ? width.multiple : freeUnits, strategy: random, seed });
}

/** One after another: a growth moves the positions of other widths on the same axes. */
function planAll(model: Model, widths: readonly Width[]): readonly GrowthPlan[] {
  const plans: GrowthPlan[] = [];
  let grown = model;
  for (const { id } of widths) {
    const width = findWidths(grown).find((one) => one.id === id);
    if (width === undefined) throw new Error(`the growths before took the place of ${id}`);
    const plan = planned(width);
    plans.push(plan);
    grown = applyPlan(grown, plan, random);
  }
  return plans;
}

function applyAll(model: Model, plans: readonly GrowthPlan[]): Model {
  return plans.reduce((grown, plan) => applyPlan(grown, plan, random), model);
}

/** The error of planning to grow a width that cannot grow; empty for one that can. */
function planningError(width: Width): string {
  if (width.growable) return "";
  try {
    planned(width);
    return "nothing";
  } catch (thrown) {
    return messageOf(thrown);
  }
}

function factsOf({ id, size, unit, growable, reason, multiple, parts }: Width) {
  const axes = parts.map(({ parameter, axis }) => ({ parameter, axis }));
  return { id, size, unit, growable, reason, multiple, axes };
}

/** As many sets of sizes as the longest list has entries, cycling through each list. */
function sizeSets(sizes: AskedModel["sizes"]): readonly Sizes[] {
  const lists = Object.entries(sizes);
  const count = Math.max(1, ...lists.map(([, values]) => values.length));
  return Array.from({ length: count }, (_, at) =>
    Object.fromEntries(lists.map(([symbol, values]) => [symbol, values[at % values.length] as number])),
  );
}

function outcomeOf({ outcome, identical, relative }: Verification) {
  // An output that never varies (the label of a classifier) shows nothing, but must not differ either.
  return { preserved: outcome !== "different", identical, relative };
}

/** Whether the bound on rounding errors is below the oracle's limit on every output that moved. */
function isBounded({ checks, withoutBound }: Verification): boolean {
  const tight = ({ maximum, relative, bound }: OutputCheck) => bound <= limit * (maximum / relative);
  return withoutBound === "" && checks.every((one) => one.identical || tight(one));
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}
