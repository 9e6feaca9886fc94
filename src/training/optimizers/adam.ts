import type { Optimizer } from "./optimizer.ts";
import { type Schedule, scheduleOf } from "./schedule.ts";

export interface AdamOptions {
  /** Default 1e-3. */
  readonly learningRate?: number | Schedule;
  /** Decay of the first moment. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment. Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** {@link adam}: L2, added to the gradient, default 0. {@link adamw}: decoupled, default 0.01. */
  readonly weightDecay?: number;
}

/** Adam (Kingma & Ba 2015), as in `torch.optim.Adam`, with a step count per entry: each starts at its own birth. */
export function adam(options: AdamOptions = {}): Optimizer {
  return make("adam", { weightDecay: 0, ...options });
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019), as in `torch.optim.AdamW`. */
export function adamw(options: AdamOptions = {}): Optimizer {
  return make("adamw", { weightDecay: 0.01, ...options });
}

function make(name: "adam" | "adamw", options: AdamOptions & { readonly weightDecay: number }): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay } = options;
  const decays = weightDecay !== 0;
  const coupled = name === "adam";
  return {
    name,
    options: { beta1, beta2, epsilon, weightDecay },
    learningRate: scheduleOf(options.learningRate ?? 1e-3),
    slots: ["moment1", "moment2"],
    degrees: [1, 2],
    // The step size, what corrects √v, and where weights decay, the L2 factor or what is left of the weight.
    factors: [
      { byAge: true, of: (age, learningRate) => learningRate * (1 / (1 - beta1 ** age)) },
      { byAge: true, of: (age) => 1 / Math.sqrt(1 - beta2 ** age) },
      ...(decays ? [{ byAge: false, of: coupled ? l2 : left }] : []),
    ],
    flopsPerEntry: 13 + (decays ? (coupled ? 2 : 1) : 0),
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
    run({ kernel, addresses, rows, columns, factors, factorsPerColumn, gradientScale }) {
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
