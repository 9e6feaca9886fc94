import type { GraphBuilder } from "../graph/builder.ts";
import { addDims, type Dim, productOfDims, type Shape } from "../graph/dim.ts";
import type { Model, Node, Value } from "../graph/model.ts";
import { symbolicShapes } from "../growth/symbols.ts";
import type { Width } from "../growth/width.ts";
import { newGraph, operatorOf } from "../ops/index.ts";
import { GraphCall, type TrainingCall } from "../ops/operator.ts";
import { raiseOpset } from "../ops/raise.ts";
import { EspalierError } from "../tensor/errors.ts";
import { type LossChoice, lossOf } from "./loss.ts";
import { statisticsOf, trainableOf } from "./trainable.ts";

/** An input that a dropout draws anew each step. */
export interface DropoutMask {
  readonly input: string;
  readonly shape: Shape;
  readonly ratio: number;
}

/** The model written into a graph of its own, with everything that changes while training as an input. */
export interface Program {
  readonly graph: GraphBuilder;
  /** The input that takes the features, as the model names it. */
  readonly features: Value;
  /** The model's output, and the input and the value of the loss; no loss where none was asked for. */
  readonly output: string;
  readonly target: Value | undefined;
  readonly loss: string;
  /** Parameters that are inputs: trained and frozen ones, running statistics and whatever can grow. */
  readonly variables: readonly string[];
  /** Trained parameters. */
  readonly trainable: readonly string[];
  /** Running statistics: the parameter and the value that it takes after the step. */
  readonly updates: ReadonlyMap<string, string>;
  readonly masks: readonly DropoutMask[];
}

export interface ProgramOptions {
  readonly model: Model;
  readonly widths: readonly Width[];
  readonly loss: LossChoice;
  /** Whether dropout drops and batch statistics are used. */
  readonly training: boolean;
  /** Parameters that are not trained although they could be; see {@link frozenOf}. Default none. */
  readonly frozen?: readonly string[];
}

/** Writes model and loss into a new graph. */
export function writeProgram({ model, widths, loss, training, frozen = [] }: ProgramOptions): Program {
  const graph = newGraph();
  // Gradient rules are written in opset 20; the model itself keeps its own.
  const source = raiseOpset(model).graph;
  graph.reserve(source.nodes.flatMap((node) => node.outputs));
  graph.reserve(source.parameters.keys());
  graph.reserve(source.inputs.map((value) => value.name));
  for (const value of source.inputs) graph.input(value.name, value);
  const [features, second] = source.inputs;
  const output = source.outputs[0]?.name;
  if (features === undefined || output === undefined) {
    throw new EspalierError("INVALID_MODEL", {
      thing: "model",
      rule: "needs an input and an output to be trained",
      received: { inputs: source.inputs.length, outputs: source.outputs.length },
    });
  }
  const statistics = statisticsOf(model);
  const held = new Set(frozen);
  const own = new Set(trainableOf(model));
  const growing = new Set(widths.flatMap((width) => width.parts.map((part) => part.parameter)));
  const shapes = symbolicShapes(model, widths);
  const variables: string[] = [];
  for (const [name, tensor] of source.parameters) {
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
  for (const node of source.nodes) {
    const train = training ? operatorOf(node).train : undefined;
    if (train === undefined) graph.add(node);
    else train(new NodeTraining(graph, node, updates, masks));
  }
  const written = writeLoss(graph, loss, output, second);
  return { graph, features, output, variables, trainable, updates, masks, ...written };
}

function writeLoss(graph: GraphBuilder, choice: LossChoice, output: string, second: Value | undefined) {
  if (typeof choice === "object") {
    if (!graph.has(choice.output)) {
      throw new EspalierError("ARGUMENT", {
        thing: "loss",
        rule: "must name a value of the model",
        received: choice.output,
      });
    }
    return { loss: choice.output, target: second };
  }
  const loss = lossOf(choice);
  const shape = graph.typeOf(output).shape;
  const target: Value = {
    name: "target",
    dtype: loss.target,
    shape: shape.slice(0, loss.targetRank(shape.length)),
  };
  return { loss: loss.emit(graph, output, graph.input("target", target)), target };
}

class NodeTraining extends GraphCall implements TrainingCall {
  readonly #updates: Map<string, string>;
  readonly #masks: DropoutMask[];

  constructor(graph: GraphBuilder, node: Node, updates: Map<string, string>, masks: DropoutMask[]) {
    super(graph, node);
    this.#updates = updates;
    this.#masks = masks;
  }

  update(index: number, name: string): void {
    this.#updates.set(this.node.inputs[index] ?? "", name);
  }

  dropoutMask(like: string, ratio: number): string {
    const shape = this.graph.typeOf(like).shape;
    const input = this.graph.input(`dropout_mask_${this.#masks.length}`, { dtype: "float32", shape });
    this.#masks.push({ input, shape, ratio });
    return input;
  }
}

/** Floating-point operations of one run of a graph, as a polynomial in "batch" and the widths. */
export function countFlops(graph: GraphBuilder): Dim {
  return graph.nodes.reduce<Dim>((total, node) => {
    const call = new GraphCall(graph, node);
    const rule = operatorOf(node).flops;
    return addDims(total, rule === undefined ? productOfDims(call.output(0).shape) : rule(call));
  }, 0);
}
