import { type Importance, isIncoming, isOutgoing, weightNorms } from "./importance.ts";

/**
 * ‖incoming‖·‖outgoing‖, with the bias among the incoming. For a ReLU, or any activation with f(ax) = a·f(x), it is
 * invariant under moving a factor from one side to the other, as is the function (the product over a path of Neyshabur
 * et al. 2015; magnitude pruning, Li et al. 2017, looks only at the incoming side and lacks this).
 */
export const weightNorm: Importance = {
  name: "weightNorm",
  summary: "norm of incoming weights times norm of outgoing weights; needs no data",
  needs: [],
  score(width, evidence) {
    const incoming = weightNorms(width, evidence, isIncoming);
    // No weight reads the factors of a product of two activations (queries and keys).
    if (!width.parts.some(isOutgoing)) return incoming;
    const outgoing = weightNorms(width, evidence, isOutgoing);
    return incoming.map((norm, unit) => norm * (outgoing[unit] as number));
  },
};
