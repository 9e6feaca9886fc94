import type { Dataset } from "../data/dataset.ts";
import type { Feeds, Session, SessionOptions } from "../engine/session.ts";
import type { Model } from "../graph/model.ts";
import { emitRoundingBound } from "../growth/rounding.ts";
import type { Width } from "../growth/width.ts";
import { EspalierError } from "../tensor/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Batcher } from "./batch.ts";
import { compile } from "./compile.ts";
import type { LossChoice } from "./loss.ts";
import type { Metric } from "./metric.ts";
import { zeroTargets } from "./probe.ts";
import { type Program, writeProgram } from "./program.ts";

/** Loss and metrics over a data set, each averaged over its examples. */
export interface Evaluation {
  readonly examples: number;
  readonly loss: number;
  readonly [metric: string]: number;
}

/** What one batch gives in evaluation. */
export interface ForwardResult {
  readonly output: Tensor;
  readonly loss: number;
}

/** The model in evaluation (no dropout, running statistics), compiled once for all widths. */
export class Evaluator {
  readonly program: Program;
  readonly #session: Session;
  /** Value that holds the rounding bound of the output; absent where the output is exact. */
  readonly #bound: string | undefined;
  readonly #activations: readonly string[];

  private constructor(
    program: Program,
    session: Session,
    bound: string | undefined,
    activations: readonly string[],
  ) {
    this.program = program;
    this.#session = session;
    this.#bound = bound;
    this.#activations = activations;
  }

  static async create(
    model: Model,
    widths: readonly Width[],
    loss: LossChoice,
    options: SessionOptions,
  ): Promise<Evaluator> {
    const program = writeProgram({ model, widths, loss, training: false });
    const activations = [...new Set(widths.flatMap((width) => width.reads.map((read) => read.value)))];
    const bound = emitRoundingBound(program.graph, program.output);
    const outputs = [program.output, program.loss, ...activations, ...(bound === undefined ? [] : [bound])];
    return new Evaluator(program, await compile(program.graph, outputs, options), bound, activations);
  }

  /** Output and loss of one batch. */
  async forward(variables: Feeds, batch: Feeds): Promise<ForwardResult> {
    const { output, loss } = this.program;
    const results = await this.#session.run({ ...variables, ...batch }, { [output]: null, [loss]: null });
    return { output: results[output] as Tensor, loss: results[loss]?.data[0] as number };
  }

  /** The output, with a bound on its rounding error, and what {@link Evaluator.activations} gives, in one run. */
  async bounded(
    variables: Feeds,
    batch: Feeds,
  ): Promise<
    ForwardResult & {
      readonly bound: Tensor | undefined;
      readonly activations: ReadonlyMap<string, Tensor>;
    }
  > {
    const { output, loss } = this.program;
    const asked = {
      [output]: null,
      [loss]: null,
      ...(this.#bound === undefined ? {} : { [this.#bound]: null }),
      ...Object.fromEntries(this.#activations.map((name) => [name, null])),
    };
    const results = await this.#session.run({ ...variables, ...batch }, asked);
    return {
      output: results[output] as Tensor,
      loss: results[loss]?.data[0] as number,
      bound: this.#bound === undefined ? undefined : results[this.#bound],
      activations: new Map(this.#activations.map((name) => [name, results[name] as Tensor])),
    };
  }

  /** The activations that the widths' outgoing weights read, by value name. */
  async activations(variables: Feeds, batch: Feeds): Promise<ReadonlyMap<string, Tensor>> {
    const asked = Object.fromEntries(this.#activations.map((name) => [name, null]));
    const feeds = { ...variables, ...batch };
    return new Map(Object.entries(await this.#session.run(feeds, asked)));
  }

  async evaluate(
    variables: Feeds,
    data: Dataset,
    metrics: readonly Metric[],
    batchSize: number,
  ): Promise<Evaluation> {
    const batcher = new Batcher(this.program, data);
    const order = Uint32Array.from({ length: data.count }, (_, index) => index);
    let loss = 0;
    const sums = metrics.map(() => 0);
    for (let from = 0; from < data.count; from += batchSize) {
      const batch = batcher.take(order, from, Math.min(batchSize, data.count - from));
      const result = await this.forward(variables, batch.feeds);
      loss += result.loss * batch.size;
      metrics.forEach((metric, index) => {
        sums[index] = (sums[index] ?? 0) + metric.sum(result.output, batch.target);
      });
    }
    const averages = metrics.map((metric, index) => [metric.name, (sums[index] ?? 0) / data.count] as const);
    return { examples: data.count, loss: loss / data.count, ...Object.fromEntries(averages) };
  }

  /** The outputs for `features`, which the caller has shaped as the model's input. */
  async predict(variables: Feeds, features: Tensor): Promise<Tensor> {
    const { output, features: input } = this.program;
    const fits =
      features.dims.length === input.shape.length &&
      features.dims.every(
        (size, axis) => size > 0 && (typeof input.shape[axis] === "string" || input.shape[axis] === size),
      );
    if (!fits) {
      throw new EspalierError("SHAPE_MISMATCH", {
        thing: `input "${input.name}"`,
        rule: `takes shape [${input.shape.join(", ")}]`,
        received: features.dims,
      });
    }
    const feeds = {
      ...variables,
      ...zeroTargets(this.program, features.dims[0] ?? 1),
      [input.name]: features,
    };
    return (await this.#session.run(feeds, { [output]: null }))[output] as Tensor;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}
