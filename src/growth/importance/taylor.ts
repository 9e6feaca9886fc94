import { realValues } from "../plan/real-parameter.ts";
import { type Importance, isIncoming, isOutgoing, sumOverUnits } from "./importance.ts";

/**
 * |Σ gradient·weight| over the unit's outgoing weights: how far the loss moves, to first order, when they all become
 * zero, that is, when the unit is removed. It equals Molchanov et al. 2017's |Σ dL/da·a| over the batch ("Pruning
 * Convolutional Neural Networks for Resource Efficient Inference", eq. 8, before their mean over positions), and is the
 * root of Molchanov et al. 2019's group importance ("Importance Estimation for Neural Network Pruning", eq. 8) on these
 * weights.
 */
export const taylor: Importance = {
  name: "taylor",
  summary: "change of the loss, to first order, without the unit",
  needs: ["gradients"],
  score(width, { parameters, gradients }) {
    const wanted = width.parts.some(isOutgoing) ? isOutgoing : isIncoming;
    const valuesOf = new Map<string, ArrayLike<number>>();
    const weightAt = (parameter: string, offset: number) => {
      const tensor = parameters.get(parameter);
      if (tensor === undefined) return 0;
      const values = valuesOf.get(parameter) ?? realValues(tensor);
      valuesOf.set(parameter, values);
      return values[offset] as number;
    };
    const along = (gradient: number, parameter: string, offset: number) =>
      gradient * weightAt(parameter, offset);
    return sumOverUnits(width, gradients, wanted, along).map(Math.abs);
  },
};
