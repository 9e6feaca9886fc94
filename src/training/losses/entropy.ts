import { ignoredLabel } from "../../data/dataset.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Shape } from "../../graph/dim.ts";
import { int, text } from "../../graph/model.ts";
import { codeOfDtype } from "../../ops/rules/element-types.ts";
import { float32, int32 } from "../../tensor/tensor.ts";
import { accuracy } from "../metrics/accuracy.ts";
import { type ClassWeights, countedExamples } from "../metrics/counted.ts";
import type { Loss } from "./loss.ts";

/** What losses of labels have in common, of logits [batch, classes, ...] and labels [batch, ...]. */
export const ofLabels = {
  predicts: "class",
  target: "int32",
  inverts: { links: ["softmax", "logSoftmax"], says: "softmax", axis: () => 1 },
  targetShape: ([batch = 1, , ...positions]: Shape) => [batch, ...positions],
  classes: (output: Shape) => output[1],
  counted: countedExamples,
  metrics: [accuracy()],
} as const satisfies Partial<Loss>;

/** Options that change the entropy of a label. */
export interface EntropyOptions {
  /** The share of each label that is spread over all classes. */
  readonly smoothing?: number;
  /** The exponent of (1 - p)^gamma, by which each entropy is multiplied, p being the probability of the label. */
  readonly gamma?: number;
  readonly weights?: ClassWeights;
}

/**
 * Mean of the cross-entropies of logits [N, classes, ...] with labels [N, ...] that are not ignored, each weighted by its
 * class (PyTorch's CrossEntropyLoss); 0 if none counts.
 */
export function countedEntropy(
  graph: GraphBuilder,
  logits: string,
  labels: string,
  { smoothing = 0, gamma = 0, weights }: EntropyOptions,
): string {
  const attributes = { reduction: text("none"), ignore_index: int(ignoredLabel) };
  const [each = ""] = graph.emitAll("SoftmaxCrossEntropyLoss", [logits, labels], 2, attributes);
  const number = (value: number) => graph.constant(`int32 ${value}`, () => int32([], [value]));
  const ignored = graph.emit("Equal", [labels, number(ignoredLabel)]);
  const counts = graph.emit("Cast", [graph.emit("Not", [ignored])], { to: int(codeOfDtype("float32")) });
  const all = (value: string) => graph.emit("ReduceSum", [value], { keepdims: int(0) });
  const mul = (a: string, b: string) => graph.emit("Mul", [a, b]);
  const divided = (sum: string, total: string) =>
    graph.emit("Div", [sum, graph.emit("Max", [total, graph.scalar(leastTotal)])], {}, "loss");
  const table =
    weights === undefined
      ? undefined
      : graph.constant(`class weights ${weights}`, () => float32([weights.length], weights));
  const weight =
    table === undefined
      ? counts
      : mul(graph.emit("Gather", [table, graph.emit("Max", [labels, number(0)])]), counts);
  const focused = gamma === 0 ? each : mul(each, unsure(graph, each, gamma));
  const sum = all(table === undefined && gamma === 0 ? each : mul(focused, weight));
  if (smoothing === 0) return divided(sum, all(weight));
  // For the other classes: the mean over all of their entropies, each with its own weight.
  const shape = graph.typeOf(logits).shape;
  const logarithms = graph.emit("LogSoftmax", [logits], { axis: int(1) });
  const weighed =
    table === undefined || weights === undefined
      ? logarithms
      : mul(
          logarithms,
          graph.constant(`class weights ${weights} along 1`, () =>
            float32([weights.length, ...shape.slice(2).map(() => 1)], weights),
          ),
        );
  const spread = graph.emit("ReduceMean", [weighed, graph.vector([1])], { keepdims: int(0) });
  const other = mul(all(mul(spread, counts)), graph.scalar(-smoothing));
  const own = mul(sum, graph.scalar(1 - smoothing));
  return divided(graph.emit("Add", [own, other]), all(weight));
}

/** (1 - p)^gamma of entropies -ln p. */
function unsure(graph: GraphBuilder, entropy: string, gamma: number): string {
  const probability = graph.emit("Exp", [graph.emit("Neg", [entropy])]);
  const doubt = graph.emit("Sub", [graph.scalar(1), probability]);
  // The slope of x^gamma at 0 is not finite for gamma below 1, and rounding takes p above 1.
  const kept = graph.emit("Max", [doubt, graph.scalar(1e-7)]);
  return graph.emit("Pow", [kept, graph.scalar(gamma)]);
}

/** Replaces a total of 0, so that a batch in which nothing counts has the loss 0 and no gradient. */
const leastTotal = 2 ** -100;
