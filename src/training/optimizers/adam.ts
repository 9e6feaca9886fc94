import { type Schedule, scheduleOf } from "../schedule.ts";
import type { Optimizer } from "./optimizer.ts";

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
  const l2 = name === "adam" ? weightDecay : 0;
  const decoupled = name === "adamw" ? weightDecay : 0;
  return {
    name,
    options: { beta1, beta2, epsilon, weightDecay },
    learningRate: scheduleOf(options.learningRate ?? 1e-3),
    slots: ["moment1", "moment2"],
    // The first is multiplied by the learning rate: the step size. The second corrects √v.
    factors: [(age) => 1 / (1 - beta1 ** age), (age) => 1 / Math.sqrt(1 - beta2 ** age)],
    flopsPerEntry: 13 + (l2 === 0 ? 0 : 2) + (decoupled === 0 ? 0 : 1),
    emit({ graph, parameter, gradient, slots, learningRate, factors }) {
      const [stepSize, correction] = factors as [string, string];
      const times = (value: string, factor: number) => graph.emit("Mul", [value, graph.scalar(factor)]);
      const g = l2 === 0 ? gradient : graph.emit("Add", [gradient, times(parameter, l2)]);
      const m = graph.emit("Add", [times(slots[0] as string, beta1), times(g, 1 - beta1)]);
      const squares = graph.emit("Mul", [times(g, 1 - beta2), g]);
      const v = graph.emit("Add", [times(slots[1] as string, beta2), squares]);
      const spread = graph.emit("Mul", [graph.emit("Sqrt", [v]), correction]);
      const step = graph.emit("Div", [
        graph.emit("Mul", [m, stepSize]),
        graph.emit("Add", [spread, graph.scalar(epsilon)]),
      ]);
      if (decoupled === 0) return [graph.emit("Sub", [parameter, step]), m, v];
      const decay = graph.emit("Sub", [graph.scalar(1), times(learningRate, decoupled)]);
      return [graph.emit("Sub", [graph.emit("Mul", [parameter, decay]), step]), m, v];
    },
    run({ kernel, addresses, rows, columns, factors, factorsPerColumn }, { learningRate, gradientScale }) {
      const decay = 1 - learningRate * decoupled;
      const [step, correction] = factors as [number, number];
      // One literal, not spread from parts: that cost more than the update of a small parameter.
      if (factorsPerColumn) {
        kernel.adamColumns(addresses, rows, columns, {
          beta1,
          beta2,
          epsilon,
          l2,
          decay,
          gradientScale,
          stepSizes: step,
          corrections: correction,
        });
      } else {
        kernel.adam(addresses, rows * columns, {
          beta1,
          beta2,
          epsilon,
          l2,
          decay,
          gradientScale,
          stepSize: step,
          correction,
        });
      }
    },
  };
}
