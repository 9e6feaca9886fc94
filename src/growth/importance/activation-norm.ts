import { activationRows } from "../examine/diagnose.ts";
import { type Importance, isOutgoing, weightNorms } from "./importance.ts";

/**
 * Root mean square of a unit's activations on the batch, times the norm of its outgoing weights: a bound on how far the
 * next layer moves without the unit, in the mean over the examples (|Ω·a| ≤ ‖Ω‖·|a|; the reconstruction error that Luo
 * et al. 2017, ThiNet, minimize).
 */
export const activationNorm: Importance = {
  name: "activationNorm",
  summary: "root mean square of the activation times norm of outgoing weights",
  needs: ["activations"],
  score(width, evidence) {
    const outgoing = weightNorms(width, evidence, isOutgoing);
    return activationRows(width, evidence.activations).map((row, unit) => {
      const squares = row.reduce((sum, value) => sum + value * value, 0);
      return Math.sqrt(squares / Math.max(1, row.length)) * (outgoing[unit] as number);
    });
  },
};
