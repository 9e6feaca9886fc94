import { accuracy } from "../metrics/accuracy.ts";
import { loss, mean } from "./loss.ts";
import { ofNumbers } from "./numbers.ts";

/** Binary cross-entropy of logits with targets in [0, 1] of the same shape: mean of softplus(x) - x·y. */
export const binaryCrossEntropy = loss("binaryCrossEntropy", {}, () => ({
  ...ofNumbers,
  predicts: "side",
  inverts: { links: ["sigmoid"], says: "the sigmoid", probabilities: true },
  metrics: [accuracy()],
  emit: (graph, logits, targets) =>
    mean(graph, graph.emit("Sub", [graph.emit("Softplus", [logits]), graph.emit("Mul", [logits, targets])])),
}));
