import { optimizer } from "./optimizer.ts";

/**
 * Adagrad (Duchi, Hazan & Singer 2011), as in `torch.optim.Adagrad`. Each entry's rate falls with the gradients that it
 * has seen, so new units begin at the full rate.
 */
export const adagrad = optimizer(
  "adagrad",
  0.01,
  {
    rateDecay: { default: 0, least: 0, says: "the rate is divided by 1 + rateDecay × (an entry's age - 1)" },
    initial: { default: 0, least: 0, says: "the sum of squares before the first gradient" },
    epsilon: { default: 1e-10, least: 0, says: "what is added to the root of the sum of squares" },
    weightDecay: { default: 0, least: 0, says: "L2, added to the gradient" },
  },
  ({ rateDecay, initial, epsilon, weightDecay }) => ({
    slots: [{ name: "sum", degree: 2 }],
    // The learning rate, and the weight decay.
    factors: [
      { byAge: rateDecay !== 0, of: (age, learningRate) => learningRate / (1 + (age - 1) * rateDecay) },
      { byAge: false, of: (_age, _learningRate, decayShare) => weightDecay * decayShare },
    ],
    emit({ graph, parameter, gradient, slots, factors }) {
      const [rate, decay] = factors as [string, string];
      const mul = (a: string, b: string) => graph.emit("Mul", [a, b]);
      const g = weightDecay === 0 ? gradient : graph.emit("Add", [gradient, mul(parameter, decay)]);
      const sum = graph.emit("Add", [slots[0] as string, mul(g, g)]);
      // State is zero at birth, so its initial value is added when it is read.
      const started = initial === 0 ? sum : graph.emit("Add", [sum, graph.scalar(initial)]);
      const root = graph.emit("Add", [graph.emit("Sqrt", [started]), graph.scalar(epsilon)]);
      const step = graph.emit("Div", [mul(g, rate), root]);
      return [graph.emit("Sub", [parameter, step]), sum];
    },
  }),
);
