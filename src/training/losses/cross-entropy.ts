import { text } from "../../graph/model.ts";
import { countedEntropy, ofLabels } from "./entropy.ts";
import { loss } from "./loss.ts";

export const smoothing = {
  default: 0,
  least: 0,
  below: 1,
  says: "the share of each label that is spread over all classes (PyTorch's label_smoothing)",
};

/**
 * Softmax cross-entropy of logits [batch, classes, ...] with integer labels [batch, ...]: of examples, or pixels; a
 * label of -100 does not count. Like `torch.nn.CrossEntropyLoss`.
 */
export const crossEntropy = loss("crossEntropy", { smoothing }, ({ smoothing }) => ({
  ...ofLabels,
  emit(graph, logits, labels, weights) {
    const positions = graph.typeOf(labels).shape.length > 1;
    if (positions || weights !== undefined || smoothing !== 0)
      return countedEntropy(graph, logits, labels, { smoothing, weights });
    // One label for each example, none of them ignored. The second output, the logarithms, saves the gradient
    // another softmax.
    return graph.emitAll(
      "SoftmaxCrossEntropyLoss",
      [logits, labels],
      2,
      { reduction: text("mean") },
      "loss",
    )[0] as string;
  },
}));
