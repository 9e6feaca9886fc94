import { loss, mean } from "./loss.ts";
import { ofNumbers } from "./numbers.ts";

/**
 * Huber's loss, like `torch.nn.HuberLoss`: mean of e²/2 for errors |e| up to delta, else delta·(|e| - delta/2), written
 * without branches as c·(|e| - c/2) with c = min(|e|, delta). Outliers pull no harder than delta.
 */
export const huber = loss(
  "huber",
  { delta: { default: 1, above: 0, says: "the error from which on the loss is a line" } },
  ({ delta }) => ({
    ...ofNumbers,
    emit(graph, output, targets) {
      const error = graph.emit("Abs", [graph.emit("Sub", [output, targets])]);
      const small = graph.emit("Min", [error, graph.scalar(delta)]);
      const rest = graph.emit("Sub", [error, graph.emit("Mul", [small, graph.scalar(0.5)])]);
      return mean(graph, graph.emit("Mul", [small, rest]));
    },
  }),
);
