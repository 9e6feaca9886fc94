import type { GraphBuilder } from "../../graph/builder.ts";
import { type Dim, namesOf, type Shape } from "../../graph/dim.ts";
import { type Graph, ints, type Model, type Node, type Value } from "../../graph/model.ts";
import { neededFor } from "../../graph/needed.ts";
import { symbolicShapes } from "../../growth/plan/symbols.ts";
import type { Width } from "../../growth/plan/width.ts";
import { newGraph, rulesOrNone } from "../../ops/index.ts";
import { inferTypes } from "../../ops/infer.ts";
import { originOf, upgradeOpset } from "../../ops/rewrites/upgrade.ts";
import { GraphCall, type TrainingCall } from "../../ops/rules/operator.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { isInModel, type LossName, losses, lossOf } from "../losses/index.ts";
import type { Loss } from "../losses/loss.ts";
import { type ClassWeights, checkClassWeights } from "../metrics/counted.ts";
import type { ScoredBatch } from "../metrics/metric.ts";
import { batchAxes } from "../settings/batch-axes.ts";
import type { Sizes, TaskSettings } from "../settings/task-options.ts";
import { constantsOf, statisticsOf, trainableOf } from "../settings/trainable.ts";
import type { Batch } from "./batch.ts";
import { moveBehindMaxima } from "./behind-maxima.ts";
import { examplesAxis, refuseMixing } from "./examples.ts";
import { freeBatch } from "./free-batch.ts";
import { batchNames, type ProgramInput, programInputs } from "./program-inputs.ts";
import type { Fed } from "./rows.ts";
import { writeScored } from "./scored.ts";
import { bindSizes, knownSizes, type Sized } from "./sizes.ts";

/** An input for a dropout's mask, which is drawn again each step. */
export interface DropoutMask {
  readonly input: string;
  /** The value that it is multiplied by. */
  readonly like: string;
  readonly shape: Shape;
  readonly ratio: number;
}

/** The model written into a separate graph, with everything that changes during training as an input. */
export interface Program extends Fed {
  readonly graph: GraphBuilder;
  /** The model that is written here: the part that the output and the loss need, in opset 20. */
  readonly source: Model;
  /** The numbers of an example's named sizes, as far as they are bound. */
  readonly sizes: Sizes;
  /** The model's output that is trained. */
  readonly output: string;
  /** What the loss and its metrics are computed from: the output, or the logits that it is made of. */
  readonly scored: string;
  /** How metrics are to read that value. */
  readonly says: Pick<ScoredBatch, "predicts" | "classAxis">;
  /** What was assumed of the output, in sentences. */
  readonly notes: readonly string[];
  /** The value of the loss. */
  readonly loss: string;
  /** A batch's weight in a mean of losses over batches, in examples. */
  readonly counted: (batch: Pick<Batch, "size" | "target">) => number;
  /** Parameters that are inputs: trained and frozen ones, running statistics and everything that can grow. */
  readonly variables: readonly string[];
  /** Trained parameters. */
  readonly trainable: readonly string[];
  /** Running statistics: the parameter and the value that it takes after the step. */
  readonly updates: ReadonlyMap<string, string>;
  readonly masks: readonly DropoutMask[];
  /** The numbers of values that variances are computed over in training; each must be more than one. */
  readonly several: readonly Dim[];
}

export interface ProgramOptions extends TaskSettings {
  readonly model: Model;
  readonly widths: readonly Width[];
  /** Whether dropout is active and batch statistics are used. */
  readonly training: boolean;
  /** Parameters that are not trained although they could be; see {@link frozenOf}. Default none. */
  readonly frozen?: readonly string[];
  /** Whether units that are zero get a gradient even if they otherwise would not, to measure what they could become. */
  readonly open?: boolean;
  /** Supplies the sizes that the caller does not give. Default: they stay open. */
  readonly data?: Sized;
}

/**
 * Writes model and loss into a new graph. Throws `ARGUMENT` for an output or a loss that the model does not have,
 * `UNSUPPORTED_TYPE` for an output that is not float32, `UNSUPPORTED_OPERATOR`.
 */
export function writeProgram(options: ProgramOptions): Program {
  const { model, widths, loss, training, frozen = [] } = options;
  const output = outputOf(model.graph, options.output);
  if (isInModel(loss)) refuseUnknown(model.graph, "loss", loss.output);
  const kept = [output, ...(isInModel(loss) ? [loss.output] : [])];
  const needed = neededFor(model.graph, kept);
  // Gradient rules are written in opset 20; the model itself keeps its own.
  const raised = upgradeOpset({ ...model, graph: needed });
  const counted = inferTypes(raised.graph).get(output)?.shape ?? [];
  const axes = batchAxes(raised.graph, counted, options.batchAxis);
  const sizes = knownSizes(programInputs(raised.graph, axes), options.sizes, options.data);
  const source = { ...raised, graph: freeBatch(bindSizes(raised.graph, sizes), axes, output) };
  const graph = newGraph(originOf(source));
  graph.reserveAll(source.graph);
  for (const value of source.graph.inputs) {
    if (!source.graph.parameters.has(value.name)) graph.input(value.name, value);
  }
  const statistics = statisticsOf(source);
  const held = new Set(frozen);
  const own = new Set(trainableOf(source));
  const constants = constantsOf(source);
  const weights = new Set([...own].filter((name) => !constants.has(name)));
  const growing = new Set(widths.flatMap((width) => width.parts.map((part) => part.parameter)));
  const shapes = symbolicShapes(model, widths);
  const variables: string[] = [];
  for (const [name, tensor] of source.graph.parameters) {
    if (own.has(name) || statistics.has(name) || growing.has(name)) {
      graph.input(name, { dtype: tensor.dtype, shape: shapes.get(name) ?? tensor.dims });
      variables.push(name);
    } else {
      graph.parameter(name, tensor);
    }
  }
  const trainable = [...own].filter((name) => !held.has(name));
  const updates = new Map<string, string>();
  const masks: DropoutMask[] = [];
  const several: Dim[] = [];
  const moved = training && !options.open ? moveBehindMaxima(source.graph, kept) : source.graph.nodes;
  for (const node of moved) {
    const { train, open, statistics: running } = rulesOrNone(node);
    const trained = node.inputs.filter((name) => weights.has(name));
    const still = running !== undefined && trained.length > 0 && trained.every((name) => held.has(name));
    if (options.open && open !== undefined) open(new GraphCall(graph, node));
    else if (train === undefined || !training || still) graph.add(evaluated(graph, node));
    else train(new NodeTraining(graph, node, { updates, masks, several }));
  }
  const type = graph.typeOf(output);
  if (type.dtype !== "float32") {
    throw new EspalierError("UNSUPPORTED_TYPE", {
      thing: `output "${output}"`,
      rule: "must be float32 to be trained",
      received: type.dtype,
      remedy: "Name another value of the model as `output`.",
    });
  }
  const inputs = programInputs(source.graph, axes);
  if (!isInModel(loss) && options.batchAxis === undefined) refuseMixing(source.graph, batchNames({ inputs }));
  const known = new Set(source.graph.inputs.map(({ name }) => name));
  const ignored = model.graph.inputs.map(({ name }) => name).filter((name) => !known.has(name));
  const written = writeLoss(graph, options, output, inputs);
  return { graph, source, sizes, ignored, output, variables, trainable, updates, masks, several, ...written };
}

function evaluated(graph: GraphBuilder, node: Node): Node {
  return rulesOrNone(node).evaluation?.(new GraphCall(graph, node)) ?? node;
}

/** The value that is trained. */
function outputOf(graph: Graph, wanted: string | undefined): string {
  const names = graph.outputs.map(({ name }) => name);
  const output = wanted ?? graph.outputs.find(({ dtype }) => dtype === "float32")?.name ?? names[0];
  if (output === undefined || graph.inputs.length === 0) {
    throw new EspalierError("INVALID_MODEL", {
      thing: "model",
      rule: "needs an input and an output to be trained",
      received: { inputs: graph.inputs.length, outputs: names.length },
    });
  }
  refuseUnknown(graph, "output", output);
  return output;
}

function refuseUnknown(graph: Graph, option: string, name: string): void {
  if (graph.nodes.some(({ outputs }) => outputs.includes(name))) return;
  throw new EspalierError("ARGUMENT", {
    thing: option,
    rule: "must name a value that the model computes",
    received: name,
    remedy: `Its outputs are ${graph.outputs.map((value) => value.name).join(", ")}.`,
  });
}

function writeLoss(
  graph: GraphBuilder,
  { loss: choice, classWeights }: TaskSettings,
  output: string,
  inputs: readonly ProgramInput[],
): Pick<Program, "inputs" | "target" | "loss" | "counted" | "classes" | "scored" | "says" | "notes"> {
  if (isInModel(choice)) {
    // The loss is in the model, and so is the input for its targets: the last one if there are several.
    const target = inputs.length > 1 ? inputs.at(-1) : undefined;
    const features = target === undefined ? inputs : inputs.slice(0, -1);
    refuseWeights(classWeights);
    const counted: Program["counted"] = ({ size }) => size;
    return {
      inputs: features,
      loss: choice.output,
      target,
      counted,
      classes: undefined,
      scored: output,
      says: {},
      notes: [],
    };
  }
  const loss = lossOf(choice);
  refuseClassless(loss, output, graph.typeOf(output).shape);
  const { value, notes } = writeScored(graph, loss, output);
  const scored = writeExamplesFirst(graph, value, inputs);
  const { shape } = graph.typeOf(scored);
  refuseFolded(output, shape, inputs);
  const name = inputs.some((input) => input.name === "target") ? "target of the loss" : "target";
  const target: Value = { name, dtype: loss.target, shape: loss.targetShape(shape) };
  const classes = loss.classes(shape);
  if (loss.counted === undefined) refuseWeights(classWeights);
  else if (classWeights !== undefined) checkClassWeights(classWeights, classes);
  const mean = loss.emit(graph, scored, graph.input(name, target), classWeights);
  const counted: Program["counted"] = (batch) =>
    batch.target === undefined ? batch.size : (loss.counted?.(batch.target, classWeights) ?? batch.size);
  const classAxis = loss.inverts?.axis?.(shape.length);
  const says = { predicts: loss.predicts, ...(classAxis === undefined ? {} : { classAxis }) };
  return { inputs, loss: mean, target, counted, classes, scored, says, notes };
}

const lossesOfLabels = Object.keys(losses).filter((name) => lossOf(name as LossName).counted !== undefined);

function refuseWeights(weights: ClassWeights): void {
  if (weights === undefined) return;
  throw new EspalierError("ARGUMENT", {
    thing: "class weights",
    rule: "need a classification loss",
    received: weights,
    remedy: `Use ${lossesOfLabels.join(" or ")}, or leave them out.`,
  });
}

/** A value with its axis of examples moved to the front, where losses take it. */
function writeExamplesFirst(graph: GraphBuilder, value: string, inputs: readonly ProgramInput[]): string {
  const { shape } = graph.typeOf(value);
  const axis = examplesAxis(shape, batchNames({ inputs }));
  if (axis === 0) return value;
  const others = shape.flatMap((_, at) => (at === axis ? [] : [at]));
  return graph.emit("Transpose", [value], { perm: ints([axis, ...others]) }, "examples");
}

function refuseClassless({ name, inverts }: Loss, output: string, { length: rank }: Shape): void {
  if (inverts?.axis === undefined || rank > 1) return;
  throw new EspalierError("SHAPE_MISMATCH", {
    thing: `output "${output}"`,
    rule: `must have a number for each class to be trained with ${name}`,
    received: "one number for each example",
    remedy: "Use binaryCrossEntropy for two classes, or meanSquaredError to predict a number.",
  });
}

/** The targets of an example are found by the output's first axis: it must count nothing but examples. */
function refuseFolded(output: string, [rows = 1]: Shape, inputs: readonly ProgramInput[]): void {
  const batches = batchNames({ inputs });
  if (batches.includes(rows as string) || !namesOf(rows).some((name) => batches.includes(name))) return;
  throw new EspalierError("SHAPE_MISMATCH", {
    thing: `output "${output}"`,
    rule: "must count the examples of a batch, and nothing else, on its first axis to be compared with targets",
    received: rows,
    remedy: "Name a value before it as `output`.",
  });
}

/** What nodes report while they are written for training. */
interface TrainingNotes {
  readonly updates: Map<string, string>;
  readonly masks: DropoutMask[];
  readonly several: Dim[];
}

class NodeTraining extends GraphCall implements TrainingCall {
  readonly #noted: TrainingNotes;

  constructor(graph: GraphBuilder, node: Node, noted: TrainingNotes) {
    super(graph, node);
    this.#noted = noted;
  }

  update(index: number, name: string): void {
    this.#noted.updates.set(this.node.inputs[index] ?? "", name);
  }

  overSeveral(count: Dim): void {
    this.#noted.several.push(count);
  }

  dropoutMask(like: string, ratio: number): string {
    const shape = this.graph.typeOf(like).shape;
    const { masks } = this.#noted;
    const input = this.graph.input(`dropout_mask_${masks.length}`, { dtype: "float32", shape });
    masks.push({ input, like, shape, ratio });
    return input;
  }
}
