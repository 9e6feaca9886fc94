import type { Optimizer } from "./optimizer.ts";
import { type Schedule, scheduleOf } from "./schedule.ts";

export interface SgdOptions {
  /** Default 0.01. */
  readonly learningRate?: number | Schedule;
  /** Default 0. */
  readonly momentum?: number;
  /** Default false. */
  readonly nesterov?: boolean;
  /** L2, added to the gradient. Default 0. */
  readonly weightDecay?: number;
}

/** Stochastic gradient descent with momentum, as in `torch.optim.SGD` (dampening 0). */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { momentum = 0, nesterov = false, weightDecay = 0 } = options;
  return {
    name: "sgd",
    options: { momentum, nesterov, weightDecay },
    learningRate: scheduleOf(options.learningRate ?? 0.01),
    slots: momentum === 0 ? [] : ["momentum"],
    degrees: momentum === 0 ? [] : [1],
    // The learning rate, and the weight decay.
    factors: [
      { byAge: false, of: (_age, learningRate) => learningRate },
      { byAge: false, of: (_age, _learningRate, decayShare) => weightDecay * decayShare },
    ],
    flopsPerEntry: 2 + (momentum === 0 ? 0 : 2) + (nesterov ? 2 : 0) + (weightDecay === 0 ? 0 : 2),
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
    run({ kernel, addresses, rows, columns, factors, factorsPerColumn, gradientScale }) {
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
  };
}
