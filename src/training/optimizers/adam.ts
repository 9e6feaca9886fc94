import type { OptionsOf } from "../options/option-rules.ts";
import { type OptimizerOptions, optimizer, type UpdateRule } from "./optimizer.ts";

const options = {
  beta1: { default: 0.9, least: 0, below: 1, says: "the share of the mean of gradients that a step keeps" },
  beta2: { default: 0.999, least: 0, below: 1, says: "the same of the mean of squared gradients" },
  epsilon: { default: 1e-8, least: 0, says: "what is added to the root of the mean square" },
  weightDecay: { default: 0, least: 0, says: "L2, added to the gradient" },
};

const decoupled = {
  ...options,
  weightDecay: {
    default: 0.01,
    least: 0,
    says: "the fraction of a weight, times the learning rate, that a step subtracts",
  },
};

export type AdamOptions = OptimizerOptions<typeof options>;

/** Adam (Kingma & Ba 2015), as in `torch.optim.Adam`, with a step count per entry: each starts at its own birth. */
export const adam = optimizer("adam", 1e-3, options, (given) => rule(given, true));

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019), as in `torch.optim.AdamW`. */
export const adamw = optimizer("adamw", 1e-3, decoupled, (given) => rule(given, false));

function rule(
  { beta1, beta2, epsilon, weightDecay }: OptionsOf<typeof options>,
  coupled: boolean,
): UpdateRule {
  const decays = weightDecay !== 0;
  return {
    slots: [
      { name: "moment1", degree: 1 },
      { name: "moment2", degree: 2 },
    ],
    // The step size, the correction of √v, and if weights decay, the L2 factor or what is left of the weight.
    factors: [
      { byAge: true, of: (age, learningRate) => learningRate * (1 / (1 - beta1 ** age)) },
      { byAge: true, of: (age) => 1 / Math.sqrt(1 - beta2 ** age) },
      ...(decays ? [{ byAge: false, of: coupled ? l2 : left }] : []),
    ],
    emit({ graph, parameter, gradient, slots, factors }) {
      const [stepSize, correction, decay] = factors as [string, string, string];
      const times = (value: string, factor: number) => graph.emit("Mul", [value, graph.scalar(factor)]);
      const decayed = () => graph.emit("Mul", [parameter, decay]);
      const g = decays && coupled ? graph.emit("Add", [gradient, decayed()]) : gradient;
      const m = graph.emit("Add", [times(slots[0] as string, beta1), times(g, 1 - beta1)]);
      const squares = graph.emit("Mul", [times(g, 1 - beta2), g]);
      const v = graph.emit("Add", [times(slots[1] as string, beta2), squares]);
      const spread = graph.emit("Mul", [graph.emit("Sqrt", [v]), correction]);
      const step = graph.emit("Div", [
        graph.emit("Mul", [m, stepSize]),
        graph.emit("Add", [spread, graph.scalar(epsilon)]),
      ]);
      return [graph.emit("Sub", [decays && !coupled ? decayed() : parameter, step]), m, v];
    },
    kernel({ kernel, addresses, rows, columns, factors, factorsPerColumn, gradientScale }) {
      const [step, correction, decay] = factors as [number, number, number];
      // One literal, not spread from parts: that cost more than the update of a small parameter.
      if (factorsPerColumn) {
        kernel.adamColumns(addresses, rows, columns, {
          beta1,
          beta2,
          epsilon,
          gradientScale,
          stepSizes: step,
          corrections: correction,
          l2s: decays && coupled ? decay : undefined,
          decays: decays && !coupled ? decay : undefined,
        });
      } else {
        kernel.adam(addresses, rows * columns, {
          beta1,
          beta2,
          epsilon,
          l2: decays && coupled ? decay : 0,
          decay: decays && !coupled ? decay : 1,
          gradientScale,
          stepSize: step,
          correction,
        });
      }
    },
  };

  function l2(_age: number, _learningRate: number, decayShare: number): number {
    return weightDecay * decayShare;
  }

  function left(_age: number, learningRate: number, decayShare: number): number {
    return 1 - learningRate * weightDecay * decayShare;
  }
}
