import { type Feeds, Session } from "../../../src/engine/session.ts";
import { encodeModel } from "../../../src/formats/onnx/index.ts";
import type { Graph, Model, ValueType } from "../../../src/graph/model.ts";
import { compareOutputs } from "../../../src/growth/examine/compare.ts";
import { applyPlan } from "../../../src/growth/grow/apply.ts";
import type { GrowthPlan } from "../../../src/growth/plan/plan.ts";
import { random } from "../../../src/growth/strategies/random.ts";
import { inferTypes } from "../../../src/ops/infer.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { SampleInputs, type Sizes } from "../../../src/training/verification/sample-inputs.ts";
import { exactValues } from "./exact-values.ts";
import { integerWeights, integral, magnitudes, piecewiseLinear, withoutSigns } from "./integer-weights.ts";

type Outputs = readonly Readonly<Record<string, Tensor>>[];

/** Average number of terms in an entry of a product: more make a better test, until sums get too large. */
const densities = [8, 4, 2, 1];

/** Sums of whole numbers up to here are exact in float32, whatever their order. */
const largestExact = 2 ** 24;

/**
 * A model with small integers for weights and Relu for activations that round, on integer inputs: every sum is exact,
 * so growth must not change a bit. That no sum can be rounded is measured: every value is a multiple of one power of two
 * (the grain), and the same model without any minus signs stays below 2^24 grains.
 */
export class ExactModel {
  /** Why there is none; empty if there is one. */
  readonly reason: string;
  readonly #model: Model;
  readonly #feeds: readonly Feeds[];
  readonly #before: Outputs;

  private constructor(reason: string, model: Model, feeds: readonly Feeds[], before: Outputs) {
    this.reason = reason;
    this.#model = model;
    this.#feeds = feeds;
    this.#before = before;
  }

  static async of(given: Model, sizes: readonly Sizes[]): Promise<ExactModel> {
    const model = piecewiseLinear(given);
    const none = (reason: string) => new ExactModel(reason, model, [], []);
    if (sizes.length === 0) return none("it cannot run");
    const values = exactValues(model.graph);
    if ("inexact" in values) return none(values.inexact);
    const samples = new SampleInputs(model);
    const feeds = sizes.flatMap((one) => [0, 1].map((seed) => integral(samples.make(one, seed))));
    let reason = "";
    for (const density of densities) {
      const candidate = integerWeights(model, density);
      reason = await whyInexact(candidate, feeds, values.exact);
      if (reason !== "") continue;
      const before = await run(candidate, feeds, namesOf(model.graph));
      if (isLively(before)) return new ExactModel("", candidate, feeds, before);
      reason = "with integers for weights its outputs hardly depend on its inputs";
    }
    return none(reason);
  }

  /** Whether growth by these plans leaves every output unchanged, bit for bit. */
  async isKeptBy(plans: readonly GrowthPlan[]): Promise<boolean> {
    const grown = plans.reduce((model, plan) => applyPlan(model, plan, random), this.#model);
    const after = await run(grown, this.#feeds, namesOf(this.#model.graph));
    return this.#before.every((outputs, index) => same(outputs, after[index] ?? {}));
  }
}

/** Why sums of this model may be rounded on these inputs; empty if they cannot. */
async function whyInexact(model: Model, feeds: readonly Feeds[], names: readonly string[]): Promise<string> {
  const inside = withOutputs(model, names);
  let halvings = 0;
  for (const outputs of await run(inside, feeds, names)) {
    for (const name of names) {
      const found = grainOf(outputs[name] as Tensor, halvings);
      if (found === undefined) return `"${name}" is not made of sums of small fractions of two`;
      halvings = found;
    }
  }
  let largest = 0;
  for (const outputs of await run(withOutputs(withoutSigns(model), names), feeds.map(magnitudes), names)) {
    for (const { data } of Object.values(outputs)) {
      for (const value of data as Float32Array) largest = Math.max(largest, Math.abs(value));
    }
  }
  return largest * 2 ** halvings <= largestExact ? "" : "its sums of integers are too large";
}

/** The smallest k ≥ `from` such that every element is a multiple of 2^-k; undefined beyond 20. */
function grainOf(tensor: Tensor, from: number): number | undefined {
  let halvings = from;
  for (const value of tensor.data as Float32Array) {
    while (!Number.isInteger(value * 2 ** halvings)) if (++halvings > 20) return undefined;
  }
  return halvings;
}

/** Whether other inputs give other outputs, at every size: seeds come in pairs. */
function isLively(outputs: Outputs): boolean {
  return outputs.every((one, index) => index % 2 === 0 || !same(one, outputs[index - 1] ?? {}));
}

function same(a: Readonly<Record<string, Tensor>>, b: Readonly<Record<string, Tensor>>): boolean {
  return Object.entries(a).every(([name, tensor]) => {
    const other = b[name];
    return other !== undefined && compareOutputs(tensor, other, undefined).identical;
  });
}

async function run(model: Model, feeds: readonly Feeds[], names: readonly string[]): Promise<Outputs> {
  const session = await Session.create(encodeModel(model));
  try {
    const outputs: Record<string, Tensor>[] = [];
    const asked = Object.fromEntries(names.map((name) => [name, null]));
    for (const feed of feeds) outputs.push(await session.run(feed, asked));
    return outputs;
  } finally {
    await session.release();
  }
}

/** The model with these of its values as outputs. */
function withOutputs(model: Model, names: readonly string[]): Model {
  const types = inferTypes(model.graph);
  const outputs = names.map((name) => ({ name, ...(types.get(name) as ValueType) }));
  return { ...model, graph: { ...model.graph, outputs } };
}

function namesOf(graph: Graph): readonly string[] {
  return graph.outputs.map(({ name }) => name);
}
