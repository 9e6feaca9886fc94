import { int } from "../../graph/model.ts";
import { smoothing } from "./cross-entropy.ts";
import { countedEntropy, ofLabels } from "./entropy.ts";
import { loss } from "./loss.ts";

/** Softmax cross-entropy of logits [batch, ..., classes] with integer labels [batch, ...]; -100 does not count. */
export const tokenCrossEntropy = loss("tokenCrossEntropy", { smoothing }, ({ smoothing }) => ({
  ...ofLabels,
  inverts: { ...ofLabels.inverts, axis: (rank) => rank - 1 },
  targetShape: (output) => output.slice(0, -1),
  classes: (output) => output.at(-1),
  emit(graph, logits, labels, weights) {
    const rows = graph.emit("Flatten", [logits], { axis: int(graph.typeOf(logits).shape.length - 1) });
    const flat = graph.emit("Reshape", [labels, graph.vector([-1])]);
    return countedEntropy(graph, rows, flat, { smoothing, weights });
  },
}));
