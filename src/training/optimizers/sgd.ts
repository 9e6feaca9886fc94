import { optimizer } from "./optimizer.ts";

/** Stochastic gradient descent with momentum, as in `torch.optim.SGD` (dampening 0). */
export const sgd = optimizer(
  "sgd",
  0.01,
  {
    momentum: { default: 0, least: 0, below: 1, says: "the share of the last step that the next one keeps" },
    nesterov: { default: false, says: "whether the gradient is taken after the momentum's step" },
    weightDecay: { default: 0, least: 0, says: "L2, added to the gradient" },
  },
  ({ momentum, nesterov, weightDecay }) => ({
    slots: momentum === 0 ? [] : [{ name: "momentum", degree: 1 }],
    // The learning rate, and the weight decay.
    factors: [
      { byAge: false, of: (_age, learningRate) => learningRate },
      { byAge: false, of: (_age, _learningRate, decayShare) => weightDecay * decayShare },
    ],
    emit({ graph, parameter, gradient, slots, factors }) {
      const [rate, decay] = factors as [string, string];
      const times = (value: string, factor: number) => graph.emit("Mul", [value, graph.scalar(factor)]);
      const descend = (direction: string) =>
        graph.emit("Sub", [parameter, graph.emit("Mul", [direction, rate])]);
      const decayed =
        weightDecay === 0 ? gradient : graph.emit("Add", [gradient, graph.emit("Mul", [parameter, decay])]);
      if (momentum === 0) return [descend(decayed)];
      const buffer = graph.emit("Add", [times(slots[0] as string, momentum), decayed]);
      const direction = nesterov ? graph.emit("Add", [decayed, times(buffer, momentum)]) : buffer;
      return [descend(direction), buffer];
    },
    kernel({ kernel, addresses, rows, columns, factors, factorsPerColumn, gradientScale }) {
      const [rate, decay] = factors as [number, number];
      if (factorsPerColumn) {
        kernel.sgdColumns(addresses, rows, columns, {
          learningRates: rate,
          momentum,
          nesterov,
          weightDecays: decay,
          gradientScale,
        });
      } else {
        kernel.sgd(addresses, rows * columns, {
          learningRate: rate,
          momentum,
          nesterov,
          weightDecay: decay,
          gradientScale,
        });
      }
    },
  }),
);
