import { Session } from "../../../src/engine/session.ts";
import { encodeModel } from "../../../src/formats/onnx/index.ts";
import type { Model, Node } from "../../../src/graph/model.ts";
import { compareOutputs } from "../../../src/growth/examine/compare.ts";
import { applyPlan } from "../../../src/growth/grow/apply.ts";
import { planGrowth } from "../../../src/growth/plan/plan.ts";
import type { Strategy } from "../../../src/growth/plan/strategy.ts";
import type { Width } from "../../../src/growth/plan/width.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { SampleInputs, type Sizes } from "../../../src/training/verification/sample-inputs.ts";
import { verifyModels } from "../../../src/training/verification/verify.ts";

/** How much the models may differ, relative to the largest output: these are shallow. */
export const limit = 1e-5;

/** Sizes of the symbolic axes that every model is tried with. */
export const trials: readonly Sizes[] = [
  { batch: 3, sequence: 5 },
  { batch: 2, sequence: 4 },
];

/** A model that was run once, to be compared with models grown from it. */
export class Reference {
  readonly model: Model;
  readonly feeds: readonly Readonly<Record<string, Tensor>>[];
  readonly outputs: readonly Readonly<Record<string, Tensor>>[];
  readonly #seed: number;

  private constructor(
    model: Model,
    feeds: readonly Readonly<Record<string, Tensor>>[],
    outputs: readonly Readonly<Record<string, Tensor>>[],
    seed: number,
  ) {
    this.model = model;
    this.feeds = feeds;
    this.outputs = outputs;
    this.#seed = seed;
  }

  static async of(model: Model, seed: number): Promise<Reference> {
    const samples = new SampleInputs(runnable(model));
    const feeds = trials.map((sizes) => samples.make(sizes, seed));
    return new Reference(model, feeds, await outputsOf(model, feeds), seed);
  }

  /** Whether all numbers are finite: infinities and NaN hide differences. */
  get finite(): boolean {
    return this.#every((data) => data.every(Number.isFinite));
  }

  /** Whether some output takes several values. */
  get live(): boolean {
    return !this.#every((data) => data.every((value) => value === data[0]));
  }

  #every(holds: (data: Float32Array) => boolean): boolean {
    return this.outputs.every((outputs) =>
      Object.values(outputs).every(({ data }) => holds(data as Float32Array)),
    );
  }

  /** Throws if `grown` computes something else; returns how close it is to bit-identical. */
  async compare(grown: Model): Promise<{ readonly identical: boolean; readonly relative: number }> {
    const now = await outputsOf(grown, this.feeds);
    const pairs = this.outputs.flatMap((outputs, trial) =>
      Object.entries(outputs).map(([name, before]) => [before, now[trial]?.[name] as Tensor] as const),
    );
    if (pairs.every(([before, after]) => compareOutputs(before, after, undefined).identical)) {
      return { identical: true, relative: 0 };
    }
    const relative = Math.max(...pairs.map(([before, after]) => ofLargest(before, after)));
    // The same comparison, with the bound on the rounding error and other inputs.
    const options = { seed: this.#seed, sizes: trials };
    const told = await verifyModels(runnable(this.model), runnable(grown), options);
    // An output that is the same for any input shows nothing, but must not differ either.
    if (told.outcome === "different" || !(relative <= limit)) {
      throw new Error(`${told.outcome}: relative ${relative}, maximum ${told.maximum}${told.withoutBound}`);
    }
    return { identical: false, relative };
  }
}

/** The largest difference of two outputs, relative to the largest entry. */
function ofLargest(before: Tensor, after: Tensor): number {
  const sizes = Array.from(before.data as Float32Array, Math.abs);
  const { maximum } = compareOutputs(before, after, undefined);
  return maximum === 0 ? 0 : maximum / Math.max(...sizes);
}

export async function outputsOf(model: Model, feeds: readonly Readonly<Record<string, Tensor>>[]) {
  const session = await Session.create(encodeModel(runnable(model)));
  try {
    const asked = Object.fromEntries(model.graph.outputs.map(({ name }) => [name, null]));
    const outputs: Record<string, Tensor>[] = [];
    for (const one of feeds) outputs.push(await session.run(one, asked));
    return outputs;
  } finally {
    await session.release();
  }
}

/** The same model with unknown operators replaced by one that depends on every size and every unit. */
export function runnable(model: Model): Model {
  const nodes = model.graph.nodes.map((node): Node => {
    if (node.domain === "") return node;
    return { ...node, op: "Softmax", domain: "", attributes: { axis: { kind: "int", value: -1 } } };
  });
  return { ...model, graph: { ...model.graph, nodes } };
}

/** Grows one width by `times` the fewest units that it can grow by. */
export function grown(model: Model, width: Width, times: number, strategy: Strategy, seed: number): Model {
  const by = times * width.multiple * (strategy.multiple ?? 1);
  return applyPlan(model, planGrowth(width, { by, strategy, seed }), strategy);
}
