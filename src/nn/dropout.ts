import { EspalierError } from "../tensor/errors.ts";
import type { Layer } from "./layer.ts";

/** Drops each value with probability `ratio` while training and scales the rest by 1 / (1 - ratio); nothing in evaluation. */
export function dropout(ratio: number): Layer {
  if (!(ratio >= 0 && ratio < 1)) {
    throw new EspalierError("ARGUMENT", {
      thing: "dropout",
      rule: "its ratio must be in [0, 1)",
      received: ratio,
    });
  }
  return {
    kind: "dropout",
    build: ({ graph, name }, input) => graph.emit("Dropout", [input, graph.scalar(ratio)], {}, name),
  };
}
