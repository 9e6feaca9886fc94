import type { GraphBuilder } from "../../graph/builder.ts";
import type { Dim, Shape } from "../../graph/dim.ts";
import type { Graph, Model, Node } from "../../graph/model.ts";
import { neededFor } from "../../graph/needed.ts";
import { symbolicShapes } from "../../growth/plan/symbols.ts";
import type { Width } from "../../growth/plan/width.ts";
import { newGraph, rulesOrNone } from "../../ops/index.ts";
import { inferTypes } from "../../ops/infer.ts";
import { originOf, upgradeOpset } from "../../ops/rewrites/upgrade.ts";
import { GraphCall, type TrainingCall } from "../../ops/rules/operator.ts";
import type { DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { isInModel } from "../losses/index.ts";
import { batchAxes } from "../settings/batch-axes.ts";
import { termsOf } from "../settings/loss-terms.ts";
import type { Sizes, TaskOptions } from "../settings/task-options.ts";
import { constantsOf, statisticsOf, trainableOf } from "../settings/trainable.ts";
import { moveBehindMaxima } from "./behind-maxima.ts";
import { refuseMixing } from "./examples.ts";
import { freeBatch } from "./free-batch.ts";
import { batchNames, programInputs } from "./program-inputs.ts";
import type { Fed } from "./rows.ts";
import { bindSizes, knownSizes, type Sized } from "./sizes.ts";
import { type ProgramTerm, writeTerms } from "./terms.ts";

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
  /** The losses that are trained. */
  readonly terms: readonly [ProgramTerm, ...ProgramTerm[]];
  /** The model's outputs that they are taken of, without repetitions. */
  readonly outputs: readonly string[];
  /** What was assumed of the outputs, in sentences. */
  readonly notes: readonly string[];
  /** The value of the loss: the weighted sum of the terms'. */
  readonly loss: string;
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

export interface ProgramOptions extends TaskOptions {
  readonly model: Model;
  readonly widths: readonly Width[];
  /** Whether dropout is active and batch statistics are used. */
  readonly training: boolean;
  /** Parameters that are not trained although they could be; see {@link frozenOf}. Default none. */
  readonly frozen?: readonly string[];
  /** Whether units that are zero get a gradient even if they otherwise would not, to measure what they could become. */
  readonly open?: boolean;
  /** Whether each of several terms is multiplied by an input as well; see {@link ProgramTerm.factor}. */
  readonly factors?: boolean;
  /** Supplies the sizes that the caller does not give. Default: they stay open. */
  readonly data?: Sized;
}

/**
 * Writes model and loss into a new graph. Throws `ARGUMENT` for an output or a loss that the model does not have,
 * `UNSUPPORTED_TYPE` for an output that is not float32, `UNSUPPORTED_OPERATOR`.
 */
export function writeProgram(options: ProgramOptions): Program {
  const { model, widths, training, frozen = [] } = options;
  const terms = termsOf(options).map((term) => ({ ...term, output: outputOf(model.graph, term.output) }));
  const inModel = terms.flatMap(({ loss }) => (isInModel(loss) ? [loss.output] : []));
  for (const name of inModel) refuseUnknown(model.graph, "loss", name);
  const outputs = [...new Set(terms.map(({ output }) => output))];
  const kept = [...outputs, ...inModel];
  const needed = neededFor(model.graph, kept);
  // Gradient rules are written in opset 20; the model itself keeps its own.
  const raised = upgradeOpset({ ...model, graph: needed });
  const types = inferTypes(raised.graph);
  const shaped = outputs.map((name) => types.get(name)?.shape ?? []);
  const counted = shaped.find(({ length: rank }) => rank > 0) ?? [];
  const axes = batchAxes(raised.graph, counted, options.batchAxis);
  const sizes = knownSizes(programInputs(raised.graph, axes), options.sizes, options.data);
  const compared = terms.flatMap(({ loss, output }) => (isInModel(loss) ? [] : [output]));
  const counting = compared.length > 0 ? compared : outputs;
  const source = { ...raised, graph: freeBatch(bindSizes(raised.graph, sizes), axes, counting) };
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
  for (const output of outputs) refuseOtherTypes(output, graph.typeOf(output).dtype);
  const inputs = programInputs(source.graph, axes);
  if (compared.length > 0 && options.batchAxis === undefined) {
    // A loss that the model computes is a mean of examples.
    const part = inModel.length > 0 ? neededFor(source.graph, compared) : source.graph;
    refuseMixing(part, batchNames({ inputs }));
  }
  const known = new Set(source.graph.inputs.map(({ name }) => name));
  const ignored = model.graph.inputs.map(({ name }) => name).filter((name) => !known.has(name));
  const written = writeTerms(graph, terms, inputs, options.factors);
  return {
    graph,
    source,
    sizes,
    ignored,
    outputs,
    variables,
    trainable,
    updates,
    masks,
    several,
    ...written,
  };
}

function refuseOtherTypes(output: string, dtype: DType): void {
  if (dtype === "float32") return;
  throw new EspalierError("UNSUPPORTED_TYPE", {
    thing: `output "${output}"`,
    rule: "must be float32 to be trained",
    received: dtype,
    remedy: "Name another value of the model as `output`.",
  });
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
