import type { Dataset } from "../../data/dataset.ts";
import type { Feeds, Session, SessionOptions } from "../../engine/session.ts";
import type { Dim } from "../../graph/dim.ts";
import { emitRoundingBounds } from "../../growth/examine/rounding.ts";
import { compile } from "../../models/compile.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Batcher } from "../graphs/batch.ts";
import { countFlops } from "../graphs/flops.ts";
import { type Program, type ProgramOptions, writeProgram } from "../graphs/program.ts";
import { fixedBatch } from "../graphs/program-inputs.ts";
import type { Metric } from "../metrics/metric.ts";
import { sumOfTerms, TermScores } from "./term-scores.ts";
import { zeroTargets } from "./zero-targets.ts";

/**
 * Loss and metrics over a data set, each averaged over its examples. Of several losses, `loss` is the weighted sum, and those of
 * each have its name in front: "species.loss", "species.accuracy".
 */
export interface Evaluation {
  readonly examples: number;
  readonly loss: number;
  readonly [metric: string]: number;
}

/** The results of one batch in evaluation. */
export interface ForwardResult {
  /** The trained outputs, in the order of `Program.outputs`. */
  readonly outputs: readonly Tensor[];
  /** What each term was computed from: its output, or the logits that it is made of. */
  readonly scored: readonly Tensor[];
  /** The loss of each term, without its weight. */
  readonly losses: readonly number[];
  /** Their weighted sum. */
  readonly loss: number;
}

/** A session that also computes bounds on the outputs' rounding errors; an exact output has none. */
interface Bounded {
  readonly session: Session;
  readonly bounds: readonly (string | undefined)[];
  /** FLOPs of a run, in "batch" and the open widths. */
  readonly flops: Dim;
}

/** The model in evaluation (no dropout, running statistics), compiled once for all widths. */
export class Evaluator {
  readonly program: Program;
  readonly #session: Session;
  readonly #activations: readonly string[];
  readonly #compileBounded: () => Promise<Bounded>;
  /** Compiled when first asked for: ONNX Runtime runs every node, so the bound would slow down each evaluation. */
  #bounded: Promise<Bounded> | undefined;

  private constructor(
    program: Program,
    session: Session,
    activations: readonly string[],
    compileBounded: () => Promise<Bounded>,
  ) {
    this.program = program;
    this.#session = session;
    this.#activations = activations;
    this.#compileBounded = compileBounded;
  }

  static async create(what: Omit<ProgramOptions, "training">, options: SessionOptions): Promise<Evaluator> {
    const write = () => writeProgram({ ...what, training: false });
    const program = write();
    const reads = what.widths.flatMap((width) => width.reads.map((read) => read.value));
    const activations = [...new Set(reads)].filter((name) => program.graph.has(name));
    const outputs = [...valuesOf(program), ...activations];
    const compileBounded = async () => {
      const { graph, outputs: trained } = write();
      const all = emitRoundingBounds(graph);
      const bounds = trained.map((output) => all.get(output));
      const session = await compile(graph, [...outputs, ...bounds.filter(isNamed)], options);
      return { session, bounds, flops: countFlops(graph) };
    };
    return new Evaluator(
      program,
      await compile(program.graph, outputs, options),
      activations,
      compileBounded,
    );
  }

  /** Outputs and losses of one batch. */
  async forward(variables: Feeds, batch: Feeds): Promise<ForwardResult> {
    return this.#result(await this.#session.run({ ...variables, ...batch }, asked(valuesOf(this.program))));
  }

  #result(results: Readonly<Record<string, Tensor>>): ForwardResult {
    const { outputs, terms, loss } = this.program;
    const number = (name: string) => results[name]?.data[0] as number;
    return {
      outputs: outputs.map((name) => results[name] as Tensor),
      scored: terms.map(({ scored }) => results[scored] as Tensor),
      losses: terms.map((term) => number(term.loss)),
      loss: number(loss),
    };
  }

  /** The outputs, bounds on their rounding errors, and the activations of {@link Evaluator.activations}, in one run. */
  async bounded(
    variables: Feeds,
    batch: Feeds,
  ): Promise<
    ForwardResult & {
      readonly bounds: readonly (Tensor | undefined)[];
      readonly activations: ReadonlyMap<string, Tensor>;
    }
  > {
    this.#bounded ??= this.#compileBounded();
    const { session, bounds } = await this.#bounded;
    const wanted = [...valuesOf(this.program), ...bounds.filter(isNamed), ...this.#activations];
    const results = await session.run({ ...variables, ...batch }, asked(wanted));
    return {
      ...this.#result(results),
      bounds: bounds.map((bound) => (bound === undefined ? undefined : results[bound])),
      activations: new Map(this.#activations.map((name) => [name, results[name] as Tensor])),
    };
  }

  /** The activations that the widths' outgoing weights read, by value name. */
  async activations(variables: Feeds, batch: Feeds): Promise<ReadonlyMap<string, Tensor>> {
    const feeds = { ...variables, ...batch };
    return new Map(Object.entries(await this.#session.run(feeds, asked(this.#activations))));
  }

  /** FLOPs of a forward pass, in "batch" and the open widths. */
  get flops(): Dim {
    return countFlops(this.program.graph);
  }

  /** FLOPs of a forward pass with the rounding bound, in the same sizes. */
  async boundedFlops(): Promise<Dim> {
    this.#bounded ??= this.#compileBounded();
    return (await this.#bounded).flops;
  }

  /** `metrics` are those of each term. */
  async evaluate(
    variables: Feeds,
    data: Dataset,
    metrics: readonly (readonly Metric[])[],
    batchSize: number,
  ): Promise<Evaluation> {
    const { terms } = this.program;
    const batcher = new Batcher(this.program, data);
    const order = Uint32Array.from({ length: data.count }, (_, index) => index);
    const scores = terms.map((term, at) => new TermScores(term, metrics[at] ?? []));
    const step = fixedBatch(this.program) ?? batchSize;
    for (let from = 0; from < data.count; from += step) {
      const batch = batcher.take(order, from, Math.min(step, data.count - from));
      const result = await this.forward(variables, batch.feeds);
      scores.forEach((one, at) => {
        one.add(batch, result.losses[at] as number, result.scored[at] as Tensor);
      });
    }
    const losses = scores.map((one) => one.loss(data));
    return {
      examples: data.count,
      loss: sumOfTerms(terms, losses),
      ...Object.fromEntries(scores.flatMap((one) => one.named(data))),
    };
  }

  /** The trained outputs for inputs by name, which the caller has shaped as the model takes them. */
  async predict(variables: Feeds, given: Feeds): Promise<Feeds> {
    const { outputs, inputs } = this.program;
    for (const { name, shape, dtype } of inputs) {
      const tensor = given[name];
      const fits =
        tensor?.dtype === dtype &&
        tensor.dims.length === shape.length &&
        tensor.dims.every(
          (size, axis) => size > 0 && (typeof shape[axis] === "string" || shape[axis] === size),
        );
      if (fits) continue;
      throw new EspalierError("SHAPE_MISMATCH", {
        thing: `input "${name}"`,
        rule: `takes ${dtype} of shape [${shape.join(", ")}]`,
        received: tensor === undefined ? "nothing" : `${tensor.dtype} [${tensor.dims.join(", ")}]`,
      });
    }
    const own = Object.fromEntries(inputs.map(({ name }) => [name, given[name] as Tensor]));
    const feeds = { ...variables, ...zeroTargets(this.program, own), ...own };
    return this.#session.run(feeds, asked(outputs));
  }

  async release(): Promise<void> {
    await this.#session.release();
    await (await this.#bounded)?.session.release();
  }
}

/** The values of a program that every evaluation needs. */
function valuesOf({ outputs, terms, loss }: Program): readonly string[] {
  return [...new Set([...outputs, ...terms.flatMap((term) => [term.scored, term.loss]), loss])];
}

function asked(names: readonly string[]): Readonly<Record<string, null>> {
  return Object.fromEntries(names.map((name) => [name, null]));
}

const isNamed = (name: string | undefined): name is string => name !== undefined;
