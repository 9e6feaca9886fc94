import { loss, mean } from "./loss.ts";
import { ofNumbers } from "./numbers.ts";

/** Mean of (x - y)² over all elements. */
export const meanSquaredError = loss("meanSquaredError", {}, () => ({
  ...ofNumbers,
  power: 2,
  emit(graph, output, targets) {
    const difference = graph.emit("Sub", [output, targets]);
    return mean(graph, graph.emit("Mul", [difference, difference]));
  },
}));
