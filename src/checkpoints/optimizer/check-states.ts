import { isFloat } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { StoredTensor } from "../folder/weights.ts";
import { type OptimizerState, slotDegrees, stepName } from "./state.ts";

/** Checks that every state can grow and has its parameter's shape. Throws `FORMAT`. */
export function checkStates(
  states: OptimizerState["states"],
  tensors: ReadonlyMap<string, Pick<StoredTensor, "dims">>,
): void {
  for (const [name, state] of states) {
    const { dims } = tensors.get(name) ?? { dims: [] };
    for (const [key, value] of state) {
      const plain = typeof value !== "object" || value === null;
      const known = slotDegrees.has(key) || key === stepName;
      const fits =
        plain ||
        (key === stepName
          ? value.dims.length === 0
          : isFloat(value.dtype) && value.dims.join() === dims.join());
      if (known && fits && (value === null || !plain || key === stepName)) continue;
      throw new EspalierError("FORMAT", {
        thing: `optimizer state of "${name}", ${key}`,
        rule: known
          ? `must have the shape of its parameter, [${dims.join(", ")}]`
          : `must be known to grow with a parameter: ${[stepName, ...slotDegrees.keys()].join(", ")}`,
        received: plain ? value : value.dims,
        remedy: known
          ? "It belongs to another model, or its parameters were in another order."
          : "Growing is for the states of Adam, AdamW and SGD.",
      });
    }
  }
}
