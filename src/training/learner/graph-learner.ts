import type { Feeds, Session } from "../../engine/session.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Dim, Shape } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import { insertZeros } from "../../growth/grow/apply.ts";
import { compile } from "../../models/compile.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { float32, zeros } from "../../tensor/tensor.ts";
import { differentiate } from "../graphs/differentiate.ts";
import { countFlops } from "../graphs/flops.ts";
import type { Program } from "../graphs/program.ts";
import type { Births } from "../optimizers/ages.ts";
import { type Clipping, clipGradients } from "../optimizers/clipping.ts";
import { factorAt, type Newborn } from "../optimizers/newborn.ts";
import { type Factor, type Optimizer, slotsOf } from "../optimizers/optimizer.ts";
import { rateAt } from "../schedules/index.ts";
import type { LearnerSettings } from "../settings/options.ts";
import { growState, type Learner, type LearnerGrowth, type LearnerState, type Tentative } from "./learner.ts";

/** The names of the graph's values that make up one parameter's update. */
interface UpdateNames {
  readonly parameter: string;
  readonly gradient: string;
  readonly next: string;
  readonly slots: readonly { readonly input: string; readonly next: string }[];
  /** Per axis, if a factor differs by age: the input for the births, and one input for each such factor. */
  readonly axes: readonly { readonly births: string; readonly factors: readonly string[] }[];
}

/** An optimizer's factor, and the input for its value if that is the same for all entries. */
interface FactorInput {
  readonly factor: Factor;
  readonly scalar: string | undefined;
}

/**
 * The whole step, optimizer included, as one ONNX graph: the readable reference, and what the browser and GPUs use.
 * Each step's outputs become the next step's inputs, so the last good values are simply those not yet replaced.
 */
export class GraphLearner implements Learner {
  readonly flops: Dim;
  readonly #program: Program;
  readonly #optimizer: Optimizer;
  readonly #newborn: Newborn | undefined;
  readonly #session: Session;
  readonly #factors: readonly FactorInput[];
  readonly #updates: readonly UpdateNames[];
  #variables: Record<string, Tensor> = {};
  #previous: Record<string, Tensor> = {};
  #slots = new Map<string, readonly Tensor[]>();
  #births = new Map<string, Births>();
  #birthFeeds: Record<string, Tensor> = {};
  #restart = 0;

  private constructor(
    program: Program,
    { optimizer, newborn }: LearnerSettings,
    session: Session,
    factors: readonly FactorInput[],
    updates: readonly UpdateNames[],
    flops: Dim,
  ) {
    this.flops = flops;
    this.#program = program;
    this.#optimizer = optimizer;
    this.#newborn = newborn;
    this.#session = session;
    this.#factors = factors;
    this.#updates = updates;
  }

  static async create(program: Program, settings: LearnerSettings): Promise<GraphLearner> {
    const { graph } = program;
    const { optimizer, clipping, newborn } = settings;
    const gradients = clipGradients(graph, differentiate(graph, program.loss, program.trainable), clipping);
    const flops = countFlops(graph);
    const factors = optimizer.factors.map((factor, index) => ({
      factor,
      scalar:
        factor.byAge || newborn !== undefined
          ? undefined
          : graph.input(`factor ${index}`, { dtype: "float32", shape: [] }),
    }));
    const scaled = scaleToNorm(graph, gradients, clipping);
    const updates = [...scaled].map(([name, gradient]) => ({
      ...writeUpdate(graph, optimizer, name, gradient, factors),
      // Callers see gradients before the norm is clipped, as in the kernel.
      gradient: gradients.get(name) ?? gradient,
    }));
    const outputs = [
      program.loss,
      ...program.updates.values(),
      ...updates.flatMap((update) => [
        update.gradient,
        update.next,
        ...update.slots.map((slot) => slot.next),
      ]),
    ];
    const session = await compile(graph, outputs, settings.session);
    return new GraphLearner(program, settings, session, factors, updates, flops);
  }

  get variables(): Feeds {
    return this.#variables;
  }

  async step(feeds: Feeds, step: number): Promise<number> {
    const asked: Record<string, null> = { [this.#program.loss]: null };
    for (const update of this.#updates) {
      asked[update.next] = null;
      for (const slot of update.slots) asked[slot.next] = null;
    }
    for (const name of this.#program.updates.values()) asked[name] = null;
    const results = await this.#session.run({ ...feeds, ...this.#inputs(step) }, asked);
    const loss = results[this.#program.loss]?.data[0] as number;
    if (!Number.isFinite(loss)) {
      this.#variables = this.#previous;
      this.#slots = new Map(
        [...this.#slots].map(([name, slots]) => [name, slots.map((slot) => zeros("float32", slot.dims))]),
      );
      // Zero moments of a high age would make steps of several learning rates.
      this.#restart = step;
      return loss;
    }
    this.#previous = this.#variables;
    this.#variables = { ...this.#variables };
    for (const [parameter, name] of this.#program.updates)
      this.#variables[parameter] = results[name] as Tensor;
    for (const update of this.#updates) {
      this.#variables[update.parameter] = results[update.next] as Tensor;
      this.#slots.set(
        update.parameter,
        update.slots.map((slot) => results[slot.next] as Tensor),
      );
    }
    return loss;
  }

  async gradients(feeds: Feeds) {
    const asked: Record<string, null> = { [this.#program.loss]: null };
    for (const update of this.#updates) asked[update.gradient] = null;
    const results = await this.#session.run({ ...feeds, ...this.#inputs(0) }, asked);
    return {
      loss: results[this.#program.loss]?.data[0] as number,
      gradients: new Map(
        this.#updates.map(({ parameter, gradient }) => [parameter, results[gradient] as Tensor]),
      ),
    };
  }

  state(): LearnerState {
    return {
      variables: new Map(Object.entries(this.#variables)),
      slots: new Map(this.#slots),
      births: new Map(this.#births),
      restart: this.#restart,
    };
  }

  load(state: LearnerState): void {
    this.#variables = Object.fromEntries(
      this.#program.variables.map((name) => [name, state.variables.get(name) as Tensor]),
    );
    this.#previous = this.#variables;
    this.#slots = new Map(state.slots);
    this.#births = new Map(state.births);
    this.#restart = state.restart;
    this.#birthFeeds = {};
    for (const { parameter, axes } of this.#updates) {
      const births = this.#births.get(parameter) as Births;
      axes.forEach(({ births: input }, axis) => {
        this.#birthFeeds[input] = alongAxis(births, axis, (birth) => birth);
      });
    }
  }

  grow({ plan, step, apply }: LearnerGrowth): Tentative {
    const before = this.state();
    this.load(growState(before, { plan, step }, apply(this.#variables, insertZeros)));
    return { keep: () => {}, undo: () => this.load(before) };
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  #inputs(step: number): Feeds {
    const learningRate = rateAt(this.#optimizer.learningRate, step);
    const time = { step, restart: this.#restart, learningRate };
    const valueFor = (factor: Factor, birth: number) => factorAt(factor, birth, time, this.#newborn);
    const feeds: Record<string, Tensor> = { ...this.#variables, ...this.#birthFeeds };
    const perAxis: Factor[] = [];
    for (const { factor, scalar } of this.#factors) {
      if (scalar === undefined) perAxis.push(factor);
      else feeds[scalar] = float32([], [valueFor(factor, 0)]);
    }
    for (const { parameter, slots, axes } of this.#updates) {
      slots.forEach(({ input }, index) => {
        feeds[input] = this.#slots.get(parameter)?.[index] as Tensor;
      });
      const births = this.#births.get(parameter) as Births;
      axes.forEach(({ factors }, axis) => {
        factors.forEach((input, index) => {
          feeds[input] = alongAxis(births, axis, (birth) => valueFor(perAxis[index] as Factor, birth));
        });
      });
    }
    return feeds;
  }
}

/** A tensor that varies along one axis of a parameter and broadcasts along the others. */
function alongAxis(births: Births, axis: number, value: (birth: number) => number): Tensor {
  const dims = births.map((entries, index) => (index === axis ? entries.length : 1));
  return float32(dims, Float32Array.from(births[axis] ?? [], value));
}

/** Writes the optimizer's update of one parameter. The youngest of an entry's coordinates determines its age. */
function writeUpdate(
  graph: GraphBuilder,
  optimizer: Optimizer,
  parameter: string,
  gradient: string,
  factors: readonly FactorInput[],
): UpdateNames {
  const { dtype, shape } = graph.typeOf(parameter);
  const slotInputs = slotsOf(optimizer, shape.length).map(({ name }) =>
    graph.input(`${name} of ${parameter}`, { dtype, shape }),
  );
  const differing = [...factors.keys()].filter((index) => factors[index]?.scalar === undefined);
  const axes =
    differing.length === 0
      ? []
      : shape.map((_, axis) => ({
          births: graph.input(`births of ${parameter} ${axis}`, { dtype, shape: only(shape, axis) }),
          factors: differing.map((index) =>
            graph.input(`factor ${index} of ${parameter} ${axis}`, { dtype, shape: only(shape, axis) }),
          ),
        }));
  let youngest = axes[0]?.births ?? "";
  let values = axes[0]?.factors ?? [];
  for (const axis of axes.slice(1)) {
    const younger = graph.emit("Greater", [axis.births, youngest]);
    values = values.map((value, index) =>
      graph.emit("Where", [younger, axis.factors[index] as string, value]),
    );
    youngest = graph.emit("Max", [axis.births, youngest]);
  }
  const [next, ...nextSlots] = optimizer.emit({
    graph,
    parameter,
    gradient,
    slots: slotInputs,
    factors: factors.map(({ scalar }, index) => scalar ?? (values[differing.indexOf(index)] as string)),
  });
  return {
    parameter,
    gradient,
    next: next as string,
    slots: slotInputs.map((input, index) => ({ input, next: nextSlots[index] as string })),
    axes,
  };
}

function only(shape: Shape, axis: number): Shape {
  return shape.map((dim, index) => (index === axis ? dim : 1));
}

/** Scales all gradients so that their joint norm is at most the limit. */
function scaleToNorm(
  graph: GraphBuilder,
  gradients: ReadonlyMap<string, string>,
  { norm }: Clipping,
): ReadonlyMap<string, string> {
  if (norm === undefined) return gradients;
  const squares = [...gradients.values()].map((gradient) =>
    graph.emit("ReduceSum", [graph.emit("Mul", [gradient, gradient])], { keepdims: int(0) }),
  );
  const total = graph.emit("Sqrt", [squares.reduce((sum, square) => graph.emit("Add", [sum, square]))]);
  const limit = graph.emit("Div", [graph.scalar(norm), graph.emit("Add", [total, graph.scalar(1e-6)])]);
  const scale = graph.emit("Min", [limit, graph.scalar(1)]);
  return new Map([...gradients].map(([name, gradient]) => [name, graph.emit("Mul", [gradient, scale])]));
}
