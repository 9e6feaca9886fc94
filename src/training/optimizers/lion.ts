import { optimizer } from "./optimizer.ts";

/**
 * Lion (Chen et al., "Symbolic discovery of optimization algorithms", 2023): a step of one length in every entry, by the
 * sign of sign(β₁m + (1 - β₁)g), then m ← β₂m + (1 - β₂)g. Weight decay is decoupled. Its learning rate is three to ten
 * times smaller than AdamW's.
 */
export const lion = optimizer(
  "lion",
  1e-4,
  {
    beta1: { default: 0.9, least: 0, below: 1, says: "the share of the momentum in the step's sign" },
    beta2: { default: 0.99, least: 0, below: 1, says: "the share of the momentum that a step keeps" },
    weightDecay: {
      default: 0,
      least: 0,
      says: "the fraction of a weight, times the learning rate, that a step subtracts",
    },
  },
  ({ beta1, beta2, weightDecay }) => ({
    slots: [{ name: "momentum", degree: 1 }],
    // The learning rate, and what is left of the weight.
    factors: [
      { byAge: false, of: (_age, learningRate) => learningRate },
      { byAge: false, of: (_age, learningRate, share) => 1 - learningRate * weightDecay * share },
    ],
    emit({ graph, parameter, gradient, slots, factors }) {
      const [rate, left] = factors as [string, string];
      const mixed = (beta: number) =>
        graph.emit("Add", [
          graph.emit("Mul", [slots[0] as string, graph.scalar(beta)]),
          graph.emit("Mul", [gradient, graph.scalar(1 - beta)]),
        ]);
      const step = graph.emit("Mul", [graph.emit("Sign", [mixed(beta1)]), rate]);
      const kept = weightDecay === 0 ? parameter : graph.emit("Mul", [parameter, left]);
      return [graph.emit("Sub", [kept, step]), mixed(beta2)];
    },
  }),
);
