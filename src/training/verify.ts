import { type Feeds, Session, type SessionOptions } from "../engine/session.ts";
import { encodeModel } from "../formats/onnx/index.ts";
import type { Model } from "../graph/model.ts";
import { compareOutputs, isPreserved, type OutputDifference } from "../growth/compare.ts";
import { emitRoundingBounds } from "../growth/rounding.ts";
import { newGraph } from "../ops/index.ts";
import { originOf, raiseOpset } from "../ops/raise.ts";
import { EspalierError } from "../tensor/errors.ts";
import { Random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { compile } from "./compile.ts";
import { fitShape } from "./fit-shape.ts";
import { SampleInputs, type Sizes } from "./sample-inputs.ts";
import { weightsApart } from "./weights-apart.ts";

export interface VerifyOptions extends SessionOptions {
  /** Default 0. */
  readonly seed?: number;
  /** Sizes of the symbolic axes to try; default three sets of small ones. */
  readonly sizes?: readonly Sizes[];
}

/** How far one output moved on one set of inputs. */
export interface OutputCheck extends OutputDifference {
  readonly output: string;
  readonly sizes: Sizes;
}

/** Whether two models compute the same function, on sampled inputs. */
export interface Verification {
  readonly preserved: boolean;
  /** Largest over all outputs and inputs. */
  readonly maximum: number;
  readonly relative: number;
  readonly identical: boolean;
  readonly checks: readonly OutputCheck[];
  /** Why no rounding bound could be computed, so that {@link relativeLimit} decides alone; empty where there is one. */
  readonly withoutBound: string;
}

/**
 * Runs both models on the same seeded inputs and compares every output with the bound on its rounding error. Where an
 * input or output has grown, new features are random and what the old model has is compared. Throws
 * `SHAPE_MISMATCH` where inputs or outputs are not the same ones, `ENGINE` where ONNX Runtime cannot run them.
 */
export async function verifyModels(
  before: Model,
  after: Model,
  options: VerifyOptions = {},
): Promise<Verification> {
  const names = comparableOutputs(before, after);
  const samples = new SampleInputs(before);
  const asked = Object.fromEntries(names.map((name) => [name, null]));
  const [was, is] = [weightsApart(before), weightsApart(after)];
  const old = await Session.create(encodeModel(was.model), options);
  const grown = await Session.create(encodeModel(is.model), options);
  const bounds = new RoundingBounds(was.model, names, options);
  try {
    const checks: OutputCheck[] = [];
    let failure: unknown;
    for (const sizes of options.sizes ?? sizesToTry(samples.symbols)) {
      const feeds = samples.make(sizes, options.seed ?? 0);
      // Sizes are a guess where the caller names none: some models take only certain ones.
      const expected = await old.run({ ...feeds, ...was.weights }, asked).catch((error: unknown) => {
        if (options.sizes !== undefined) throw error;
        failure = error;
        return undefined;
      });
      if (expected === undefined) continue;
      const raw = await grown.run({ ...widened(feeds, after, options.seed ?? 0), ...is.weights }, asked);
      const actual = Object.fromEntries(
        names.map((name) => [name, fitShape(raw[name] as Tensor, (expected[name] as Tensor).dims)]),
      );
      const equal = names.every(
        (name) => compareOutputs(expected[name] as Tensor, actual[name] as Tensor, undefined).identical,
      );
      const errors = equal ? {} : await bounds.run({ ...feeds, ...was.weights });
      for (const name of names) {
        const difference = compareOutputs(expected[name] as Tensor, actual[name] as Tensor, errors[name]);
        checks.push({ output: name, sizes, ...difference });
      }
    }
    if (checks.length === 0) throw failure;
    return summarise(checks, bounds.unavailable);
  } finally {
    await Promise.all([old.release(), grown.release(), bounds.release()]);
  }
}

/** Inputs for a model that takes more features than those that the feeds were made for. */
function widened(feeds: Feeds, after: Model, seed: number): Feeds {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => {
      const shape = after.graph.inputs.find((input) => input.name === name)?.shape ?? tensor.dims;
      const dims = tensor.dims.map((size, axis) => {
        const declared = shape[axis];
        return typeof declared === "number" ? declared : size;
      });
      return [name, fitShape(tensor, dims, new Random(seed, `new features of ${name}`))];
    }),
  );
}

function summarise(checks: readonly OutputCheck[], withoutBound: string): Verification {
  const most = (of: (one: OutputCheck) => number) =>
    checks.reduce((largest, one) => Math.max(largest, of(one)), 0);
  return {
    preserved: checks.every((one) => isPreserved(one, withoutBound === "")),
    maximum: most((one) => one.maximum),
    relative: most((one) => one.relative),
    identical: checks.every((one) => one.identical),
    checks,
    withoutBound,
  };
}

/** Three sets of sizes: the first axis is taken for the batch, the others for sequences and the like. */
function sizesToTry(symbols: readonly string[]): readonly Sizes[] {
  const tries = [
    [3, 7],
    [1, 4],
    [5, 9],
    [2, 16],
    [2, 32],
  ];
  const sets = symbols.length === 0 ? tries.slice(0, 1) : tries;
  return sets.map(([batch = 1, other = 1]) =>
    Object.fromEntries(symbols.map((name, index) => [name, index === 0 ? batch : other])),
  );
}

/** The float outputs that both models have. */
function comparableOutputs(before: Model, after: Model): readonly string[] {
  const list = (values: Model["graph"]["inputs"]) =>
    values
      .map(({ name }) => name)
      .sort()
      .join(", ");
  for (const [side, a, b] of [
    ["inputs", before.graph.inputs, after.graph.inputs],
    ["outputs", before.graph.outputs, after.graph.outputs],
  ] as const) {
    if (list(a) === list(b)) continue;
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: "the two models",
      rule: `must have the same ${side} to be compared`,
      received: { before: list(a), after: list(b) },
    });
  }
  return before.graph.outputs.map(({ name }) => name);
}

/** Bounds on the rounding errors of a model's outputs; compiled when first asked for. */
class RoundingBounds {
  readonly #model: Model;
  readonly #names: readonly string[];
  readonly #options: SessionOptions;
  #compiled: { readonly session: Session; readonly bounds: ReadonlyMap<string, string> } | undefined;
  /** Why there are none; empty where there are, or nobody asked. */
  unavailable = "";

  constructor(model: Model, names: readonly string[], options: SessionOptions) {
    this.#model = model;
    this.#names = names;
    this.#options = options;
  }

  async run(feeds: Feeds): Promise<Readonly<Record<string, Tensor>>> {
    if (this.unavailable !== "") return {};
    try {
      this.#compiled ??= await this.#compile();
    } catch (error) {
      if (!(error instanceof EspalierError)) throw error;
      this.unavailable = error.message;
      return {};
    }
    const { session, bounds } = this.#compiled;
    const results = await session.run(
      feeds,
      Object.fromEntries([...bounds.values()].map((name) => [name, null])),
    );
    return Object.fromEntries([...bounds].map(([name, bound]) => [name, results[bound] as Tensor]));
  }

  async release(): Promise<void> {
    await this.#compiled?.session.release();
  }

  async #compile() {
    const raised = raiseOpset(this.#model);
    const { graph: source } = raised;
    const graph = newGraph(originOf(raised));
    graph.reserveAll(source);
    for (const value of source.inputs) {
      if (!source.parameters.has(value.name)) graph.input(value.name, value);
    }
    for (const [name, tensor] of source.parameters) graph.parameter(name, tensor);
    for (const node of source.nodes) graph.add(node);
    const all = emitRoundingBounds(graph);
    const bounds = new Map<string, string>();
    for (const name of this.#names) {
      const bound = all.get(name);
      if (bound !== undefined) bounds.set(name, bound);
    }
    return { session: await compile(graph, [...bounds.values()], this.#options), bounds };
  }
}
