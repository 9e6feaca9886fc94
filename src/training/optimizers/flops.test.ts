import { expect, test } from "vitest";
import { newGraph } from "../../ops/index.ts";
import { countFlops } from "../graphs/flops.ts";
import { adam, adamw } from "./adam.ts";
import type { Optimizer } from "./optimizer.ts";
import { sgd } from "./sgd.ts";

const optimizers: Readonly<Record<string, Optimizer>> = {
  sgd: sgd(),
  "sgd, weight decay": sgd({ weightDecay: 0.1 }),
  momentum: sgd({ momentum: 0.9 }),
  "nesterov, weight decay": sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
  adam: adam(),
  "adam, weight decay": adam({ weightDecay: 0.1 }),
  adamw: adamw(),
  "adamw, no weight decay": adamw({ weightDecay: 0 }),
};

/** FLOPs of an update of [5, 7] entries as the graph writes it, by factors of a shape that broadcasts to them. */
function written(optimizer: Optimizer, shape: readonly number[]): unknown {
  const graph = newGraph();
  const input = (name: string, dims: readonly number[]) =>
    graph.input(name, { dtype: "float32", shape: dims });
  optimizer.emit({
    graph,
    parameter: input("parameter", [5, 7]),
    gradient: input("gradient", [5, 7]),
    slots: optimizer.slots.map((slot) => input(slot, [5, 7])),
    factors: optimizer.factors.map((_, index) => input(`factor ${index}`, shape)),
  });
  return countFlops(graph);
}

test.each(Object.entries(optimizers))(
  "FLOPs per entry are those that the graph takes: %s",
  (_, optimizer) => {
    for (const shape of [[], [5, 7]]) expect(written(optimizer, shape)).toBe(35 * optimizer.flopsPerEntry);
  },
);
