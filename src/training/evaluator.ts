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

/** A session that also computes a bound on the output's rounding error; no bound where the output is exact. */
interface Bounded {
  readonly session: Session;
  readonly bound: string | undefined;
}

/** The model in evaluation (no dropout, running statistics), compiled once for all widths. */
export class Evaluator {
  readonly program: Program;
  readonly #session: Session;
  readonly #activations: readonly string[];
  readonly #compileBounded: () => Promise<Bounded>;
  /** Compiled when first asked for: ONNX Runtime runs every node, so the bound would slow each evaluation down. */
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

  static async create(
    model: Model,
    widths: readonly Width[],
    loss: LossChoice,
    options: SessionOptions,
  ): Promise<Evaluator> {
    const write = () => writeProgram({ model, widths, loss, training: false });
    const program = write();
    const activations = [...new Set(widths.flatMap((width) => width.reads.map((read) => read.value)))];
    const outputs = [program.output, program.loss, ...activations];
    const compileBounded = async () => {
      const { graph, output } = write();
      const bound = emitRoundingBound(graph, output);
      const all = bound === undefined ? outputs : [...outputs, bound];
      return { session: await compile(graph, all, options), bound };
    };
    return new Evaluator(
      program,
      await compile(program.graph, outputs, options),
      activations,
      compileBounded,
    );
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
    this.#bounded ??= this.#compileBounded();
    const { session, bound } = await this.#bounded;
    const asked = {
      [output]: null,
      [loss]: null,
      ...(bound === undefined ? {} : { [bound]: null }),
      ...Object.fromEntries(this.#activations.map((name) => [name, null])),
    };
    const results = await session.run({ ...variables, ...batch }, asked);
    return {
      output: results[output] as Tensor,
      loss: results[loss]?.data[0] as number,
      bound: bound === undefined ? undefined : results[bound],
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
    await (await this.#bounded)?.session.release();
  }
}
