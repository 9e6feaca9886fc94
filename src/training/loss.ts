import { ignoredLabel } from "../data/dataset.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import type { Dim, Shape } from "../graph/dim.ts";
import { int, text } from "../graph/model.ts";
import type { Link } from "../ops/operator.ts";
import type { DType } from "../tensor/dtype.ts";
import { unknownName } from "../tensor/unknown-name.ts";

/** How a loss is made from the model's output and the targets. */
export interface Loss {
  readonly name: LossName;
  /** The dtype of the targets: integer labels, or floats of the output's shape. */
  readonly target: DType;
  /** Writes the mean loss over the batch, a scalar, and returns its name. */
  readonly emit: (graph: GraphBuilder, output: string, target: string) => string;
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

/** The one table of losses. */
export const losses = {
  /** Softmax cross-entropy of logits [batch, classes, ...] with integer labels [batch, ...]: of examples, or pixels. */
  crossEntropy: {
    name: "crossEntropy",
    target: "int32",
    inverts: { links: ["softmax", "logSoftmax"], says: "softmax", axis: () => 1 },
    targetShape: ([batch = 1, , ...positions]) => [batch, ...positions],
    classes: (output) => output[1],
    emit: (graph, logits, labels) =>
      // The second output, the logarithms, spares the gradient a softmax of its own.
      graph.emitAll(
        "SoftmaxCrossEntropyLoss",
        [logits, labels],
        2,
        { reduction: text("mean") },
        "loss",
      )[0] as string,
  },
  /** Softmax cross-entropy of logits [batch, ..., classes] with integer labels [batch, ...]; -100 does not count. */
  tokenCrossEntropy: {
    name: "tokenCrossEntropy",
    target: "int32",
    inverts: { links: ["softmax", "logSoftmax"], says: "softmax", axis: (rank) => rank - 1 },
    targetShape: (output) => output.slice(0, -1),
    classes: (output) => output.at(-1),
    emit(graph, logits, labels) {
      const rows = graph.emit("Flatten", [logits], { axis: int(graph.typeOf(logits).shape.length - 1) });
      const flat = graph.emit("Reshape", [labels, graph.vector([-1])]);
      const attributes = { reduction: text("mean"), ignore_index: int(ignoredLabel) };
      return graph.emitAll("SoftmaxCrossEntropyLoss", [rows, flat], 2, attributes, "loss")[0] as string;
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
