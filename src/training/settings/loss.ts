import { ignoredLabel } from "../../data/dataset.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Dim, Shape } from "../../graph/dim.ts";
import { int, text } from "../../graph/model.ts";
import { codeOfDtype } from "../../ops/rules/element-types.ts";
import type { Link } from "../../ops/rules/operator.ts";
import type { DType } from "../../tensor/dtype.ts";
import { float32, int32, type Tensor } from "../../tensor/tensor.ts";
import { unknownName } from "../../tensor/unknown-name.ts";
import { type ClassWeights, countedExamples } from "./counted.ts";

/** How a loss is made from the model's output and the targets. */
export interface Loss {
  readonly name: LossName;
  /** The dtype of the targets: integer labels, or floats of the output's shape. */
  readonly target: DType;
  /**
   * Writes the mean loss over the batch, a scalar, and returns its name. Losses of classes weigh each label by its
   * class, and divide by the sum of the weights.
   */
  readonly emit: (graph: GraphBuilder, output: string, target: string, weights?: ClassWeights) => string;
  /** How much of what the mean is over the targets of a batch hold, in examples; all of them if absent. */
  readonly counted?: (target: Tensor, weights: ClassWeights) => number;
  /** For losses of logits: the functions that they compute themselves, and that an output must not have computed before. */
  readonly inverts?: Inverts;
  /** Shape of the targets, from the shape of the output. */
  readonly targetShape: (output: Shape) => Shape;
  /** Number of classes, which labels must be below, from the shape of the output. */
  readonly classes: (output: Shape) => Dim | undefined;
}

/** Which functions a loss of logits takes back. */
export interface Inverts {
  readonly links: readonly Link["name"][];
  /** What it computes, in words. */
  readonly says: string;
  /** The axis of the classes, counted from the front, of an output of so many axes; absent where each element is by itself. */
  readonly axis?: (rank: number) => number;
  /** Whether any probabilities have logits that it can take: each one by itself. */
  readonly probabilities?: boolean;
}

const sameShape = (output: Shape) => output;
/** Labels stand for the side of zero that a logit is on. */
const twoClasses = () => 2;

/** Mean of all elements, as a scalar. */
function mean(graph: GraphBuilder, value: string): string {
  return graph.emit("ReduceMean", [value], { keepdims: int(0) }, "loss");
}

/**
 * Mean of the cross-entropies of logits [N, classes, ...] with labels [N, ...] that are not ignored, each weighted by its
 * class (PyTorch's CrossEntropyLoss); 0 if none counts.
 */
function countedEntropy(graph: GraphBuilder, logits: string, labels: string, weights: ClassWeights): string {
  const attributes = { reduction: text("none"), ignore_index: int(ignoredLabel) };
  const [each = ""] = graph.emitAll("SoftmaxCrossEntropyLoss", [logits, labels], 2, attributes);
  const number = (value: number) => graph.constant(`int32 ${value}`, () => int32([], [value]));
  const ignored = graph.emit("Equal", [labels, number(ignoredLabel)]);
  const counts = graph.emit("Cast", [graph.emit("Not", [ignored])], { to: int(codeOfDtype("float32")) });
  const all = (value: string) => graph.emit("ReduceSum", [value], { keepdims: int(0) });
  const divided = (sum: string, total: string) =>
    graph.emit("Div", [sum, graph.emit("Max", [total, graph.scalar(leastTotal)])], {}, "loss");
  if (weights === undefined) return divided(all(each), all(counts));
  const table = graph.constant(`class weights ${weights}`, () => float32([weights.length], weights));
  const ofClass = graph.emit("Gather", [table, graph.emit("Max", [labels, number(0)])]);
  const weight = graph.emit("Mul", [ofClass, counts]);
  return divided(all(graph.emit("Mul", [each, weight])), all(weight));
}

/** In the place of a total of 0, so that a batch of which nothing counts has the loss 0 and no gradient. */
const leastTotal = 2 ** -100;

/** The one table of losses. */
export const losses = {
  /** Softmax cross-entropy of logits [batch, classes, ...] with integer labels [batch, ...]: of examples, or pixels, of which -100 does not count. */
  crossEntropy: {
    name: "crossEntropy",
    target: "int32",
    inverts: { links: ["softmax", "logSoftmax"], says: "softmax", axis: () => 1 },
    targetShape: ([batch = 1, , ...positions]) => [batch, ...positions],
    classes: (output) => output[1],
    counted: countedExamples,
    emit(graph, logits, labels, weights) {
      const positions = graph.typeOf(labels).shape.length > 1;
      if (positions || weights !== undefined) return countedEntropy(graph, logits, labels, weights);
      // One label for each example, which none can do without. The second output, the logarithms, spares the gradient
      // a softmax of its own.
      return graph.emitAll(
        "SoftmaxCrossEntropyLoss",
        [logits, labels],
        2,
        { reduction: text("mean") },
        "loss",
      )[0] as string;
    },
  },
  /** Softmax cross-entropy of logits [batch, ..., classes] with integer labels [batch, ...]; -100 does not count. */
  tokenCrossEntropy: {
    name: "tokenCrossEntropy",
    target: "int32",
    inverts: { links: ["softmax", "logSoftmax"], says: "softmax", axis: (rank) => rank - 1 },
    targetShape: (output) => output.slice(0, -1),
    classes: (output) => output.at(-1),
    counted: countedExamples,
    emit(graph, logits, labels, weights) {
      const rows = graph.emit("Flatten", [logits], { axis: int(graph.typeOf(logits).shape.length - 1) });
      const flat = graph.emit("Reshape", [labels, graph.vector([-1])]);
      return countedEntropy(graph, rows, flat, weights);
    },
  },
  /** Binary cross-entropy of logits with targets in [0, 1] of the same shape: mean of softplus(x) - x·y. */
  binaryCrossEntropy: {
    name: "binaryCrossEntropy",
    target: "float32",
    inverts: { links: ["sigmoid"], says: "the sigmoid", probabilities: true },
    targetShape: sameShape,
    classes: twoClasses,
    emit: (graph, logits, targets) =>
      mean(
        graph,
        graph.emit("Sub", [graph.emit("Softplus", [logits]), graph.emit("Mul", [logits, targets])]),
      ),
  },
  /** Mean of (x - y)² over all elements. */
  meanSquaredError: {
    name: "meanSquaredError",
    target: "float32",
    targetShape: sameShape,
    classes: twoClasses,
    emit(graph, output, targets) {
      const difference = graph.emit("Sub", [output, targets]);
      return mean(graph, graph.emit("Mul", [difference, difference]));
    },
  },
} as const satisfies Readonly<Record<string, Omit<Loss, "name"> & { name: string }>>;

export type LossName = "crossEntropy" | "tokenCrossEntropy" | "binaryCrossEntropy" | "meanSquaredError";

/** A loss by name, or the name of a scalar output that the model already computes from its own inputs. */
export type LossChoice = LossName | { readonly output: string };

/** Throws `ARGUMENT`, listing the losses there are. */
export function lossOf(name: string): Loss {
  if (Object.hasOwn(losses, name)) return losses[name as LossName];
  throw unknownName(
    "ARGUMENT",
    "loss",
    name,
    Object.keys(losses),
    'Or { output: "name" } for a loss in the graph.',
  );
}
