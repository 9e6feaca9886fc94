import { countedEntropy, ofLabels } from "./entropy.ts";
import { loss } from "./loss.ts";

/**
 * Focal loss (Lin et al. 2017): cross-entropy times (1 - p)^gamma, p being the probability of the label, so that labels that
 * the network is sure of count less. Class weights are the paper's alpha. Logits [batch, classes, ...], labels [batch, ...].
 */
export const focal = loss(
  "focal",
  { gamma: { default: 2, least: 0, says: "how much less sure examples count; 0 is cross-entropy" } },
  ({ gamma }) => ({
    ...ofLabels,
    emit: (graph, logits, labels, weights) => countedEntropy(graph, logits, labels, { gamma, weights }),
  }),
);
