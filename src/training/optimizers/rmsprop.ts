import { optimizer } from "./optimizer.ts";

/** RMSProp (Tieleman & Hinton 2012; centered: Graves 2013), as in `torch.optim.RMSprop`. */
export const rmsprop = optimizer(
  "rmsprop",
  0.01,
  {
    alpha: { default: 0.99, least: 0, below: 1, says: "the share of the mean of squares that a step keeps" },
    epsilon: { default: 1e-8, least: 0, says: "what is added to the root of the mean square" },
    momentum: { default: 0, least: 0, below: 1, says: "the share of the last step that the next one keeps" },
    centered: { default: false, says: "whether to divide by the deviation in place of the root mean square" },
    weightDecay: { default: 0, least: 0, says: "L2, added to the gradient" },
  },
  ({ alpha, epsilon, momentum, centered, weightDecay }) => ({
    slots: [
      { name: "square", degree: 2 },
      ...(centered ? [{ name: "mean", degree: 1 } as const] : []),
      ...(momentum === 0 ? [] : [{ name: "momentum", degree: 0 } as const]),
    ],
    // The learning rate, and the weight decay.
    factors: [
      { byAge: false, of: (_age, learningRate) => learningRate },
      { byAge: false, of: (_age, _learningRate, decayShare) => weightDecay * decayShare },
    ],
    emit({ graph, parameter, gradient, slots, factors }) {
      const [rate, decay] = factors as [string, string];
      const times = (value: string, factor: number) => graph.emit("Mul", [value, graph.scalar(factor)]);
      const mul = (a: string, b: string) => graph.emit("Mul", [a, b]);
      const [square = "", ...others] = slots;
      const g = weightDecay === 0 ? gradient : graph.emit("Add", [gradient, mul(parameter, decay)]);
      const nextSquare = graph.emit("Add", [times(square, alpha), mul(times(g, 1 - alpha), g)]);
      const next = [nextSquare];
      let spread = nextSquare;
      if (centered) {
        const mean = graph.emit("Add", [times(others[0] as string, alpha), times(g, 1 - alpha)]);
        next.push(mean);
        // Rounding can make a variance negative if all gradients were alike.
        const variance = graph.emit("Sub", [nextSquare, mul(mean, mean)]);
        spread = graph.emit("Max", [variance, graph.scalar(0)]);
      }
      const root = graph.emit("Add", [graph.emit("Sqrt", [spread]), graph.scalar(epsilon)]);
      let step = graph.emit("Div", [g, root]);
      if (momentum !== 0) {
        step = graph.emit("Add", [times(others.at(-1) as string, momentum), step]);
        next.push(step);
      }
      return [graph.emit("Sub", [parameter, mul(step, rate)]), ...next];
    },
  }),
);
