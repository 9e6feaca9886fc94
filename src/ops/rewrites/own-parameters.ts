import type { Model } from "../../graph/model.ts";
import { dropZeroStates } from "./drop-zero-states.ts";
import { inlineBranches } from "./inline-branches.ts";
import { liftConstants } from "./lift-constants.ts";
import { restoreBiases } from "./restore-biases.ts";
import { separateVectors } from "./separate-vectors.ts";
import { tieTransposed } from "./tie-transposed.ts";

/**
 * The same model with its parameters as its author had them, as far as the file shows it: constants that are
 * nodes become parameters, vectors that an exporter merged because they were equal are separated, a matrix
 * that was also stored transposed is stored once, and biases that were left out because they were zero are
 * restored. The nodes of branches (If) are in the graph itself, and recurrences that start from zeros have no
 * initial state.
 *
 * Requires a valid model. Ensures the same function and, except for the second copy of a matrix, the same value names.
 */
export function ownParameters(model: Model): Model {
  const graph = tieTransposed(
    restoreBiases(separateVectors(dropZeroStates(liftConstants(inlineBranches(liftConstants(model.graph)))))),
  );
  return graph === model.graph ? model : { ...model, graph };
}
