import { loss, mean } from "./loss.ts";
import { ofNumbers } from "./numbers.ts";

/** Mean of |x - y| over all elements, as `torch.nn.L1Loss`. */
export const meanAbsoluteError = loss("meanAbsoluteError", {}, () => ({
  ...ofNumbers,
  power: 1,
  emit: (graph, output, targets) => mean(graph, graph.emit("Abs", [graph.emit("Sub", [output, targets])])),
}));
