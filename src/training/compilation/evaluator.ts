import type { Dataset } from "../../data/dataset.ts";
import type { Feeds, Session, SessionOptions } from "../../engine/session.ts";
import type { Dim } from "../../graph/dim.ts";
import { emitRoundingBound } from "../../growth/examine/rounding.ts";
import { compile } from "../../models/compile.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Batcher } from "../graphs/batch.ts";
import { countFlops } from "../graphs/flops.ts";
import { type Program, type ProgramOptions, writeProgram } from "../graphs/program.ts";
import { fixedBatch } from "../graphs/program-inputs.ts";
import { CountedMean, nothingCounts } from "../metrics/counted.ts";
import { addTally, type Metric } from "../metrics/metric.ts";
import { zeroTargets } from "./zero-targets.ts";

/** Loss and metrics over a data set, each averaged over its examples. */
export interface Evaluation {
  readonly examples: number;
  readonly loss: number;
  readonly [metric: string]: number;
}

/** The results of one batch in evaluation. */
export interface ForwardResult {
  readonly output: Tensor;
  /** What the loss was computed from: the output, or the logits that it is made of. */
  readonly scored: Tensor;
  readonly loss: number;
}

/** A session that also computes a bound on the output's rounding error; no bound if the output is exact. */
interface Bounded {
  readonly session: Session;
  readonly bound: string | undefined;
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
    const outputs = [program.output, program.scored, program.loss, ...activations];
    const compileBounded = async () => {
      const { graph, output } = write();
      const bound = emitRoundingBound(graph, output);
      const all = bound === undefined ? outputs : [...outputs, bound];
      return { session: await compile(graph, all, options), bound, flops: countFlops(graph) };
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
    const { output, scored, loss } = this.program;
    const asked = { [output]: null, [scored]: null, [loss]: null };
    return this.#result(await this.#session.run({ ...variables, ...batch }, asked));
  }

  #result(results: Readonly<Record<string, Tensor>>): ForwardResult {
    const { output, scored, loss } = this.program;
    return {
      output: results[output] as Tensor,
      scored: results[scored] as Tensor,
      loss: results[loss]?.data[0] as number,
    };
  }

  /** The output, a bound on its rounding error, and the activations of {@link Evaluator.activations}, in one run. */
  async bounded(
    variables: Feeds,
    batch: Feeds,
  ): Promise<
    ForwardResult & {
      readonly bound: Tensor | undefined;
      readonly activations: ReadonlyMap<string, Tensor>;
    }
  > {
    const { output, scored, loss } = this.program;
    this.#bounded ??= this.#compileBounded();
    const { session, bound } = await this.#bounded;
    const asked = {
      [output]: null,
      [scored]: null,
      [loss]: null,
      ...(bound === undefined ? {} : { [bound]: null }),
      ...Object.fromEntries(this.#activations.map((name) => [name, null])),
    };
    const results = await session.run({ ...variables, ...batch }, asked);
    return {
      ...this.#result(results),
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

  /** FLOPs of a forward pass, in "batch" and the open widths. */
  get flops(): Dim {
    return countFlops(this.program.graph);
  }

  /** FLOPs of a forward pass with the rounding bound, in the same sizes. */
  async boundedFlops(): Promise<Dim> {
    this.#bounded ??= this.#compileBounded();
    return (await this.#bounded).flops;
  }

  async evaluate(
    variables: Feeds,
    data: Dataset,
    metrics: readonly Metric[],
    batchSize: number,
  ): Promise<Evaluation> {
    const batcher = new Batcher(this.program, data);
    const order = Uint32Array.from({ length: data.count }, (_, index) => index);
    const loss = new CountedMean();
    const sums = metrics.map((): number[] => []);
    const step = fixedBatch(this.program) ?? batchSize;
    for (let from = 0; from < data.count; from += step) {
      const batch = batcher.take(order, from, Math.min(step, data.count - from));
      const result = await this.forward(variables, batch.feeds);
      const counted = this.program.counted(batch);
      loss.add(result.loss * counted, counted);
      metrics.forEach((metric, index) => {
        const scored = { output: result.scored, target: batch.target, ...this.program.says };
        addTally(sums[index] as number[], metric.tally(scored));
      });
    }
    if (data.count > 0 && loss.counted === 0) throw nothingCounts(data.name);
    const averages = metrics.map(({ name, value }, index) => [name, value(sums[index] ?? [], data)] as const);
    return { examples: data.count, loss: loss.value, ...Object.fromEntries(averages) };
  }

  /** The output for inputs by name, which the caller has shaped as the model takes them. */
  async predict(variables: Feeds, given: Feeds): Promise<Tensor> {
    const { output, inputs } = this.program;
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
    return (await this.#session.run(feeds, { [output]: null }))[output] as Tensor;
  }

  async release(): Promise<void> {
    await this.#session.release();
    await (await this.#bounded)?.session.release();
  }
}
