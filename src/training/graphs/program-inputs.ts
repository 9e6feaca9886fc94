import type { Feeds } from "../../engine/session.ts";
import type { Shape } from "../../graph/dim.ts";
import type { Graph, Value } from "../../graph/model.ts";

/** An input of the model that takes a new batch each step. */
export interface ProgramInput extends Value {
  /** The axis of the examples. */
  readonly batchAxis: number;
}

/** Anything that takes batches: a program, or the inputs of one that is being written. */
interface Fed {
  readonly inputs: readonly ProgramInput[];
}

/** The shape of one example. */
export function exampleShape({ shape, batchAxis }: ProgramInput): Shape {
  return shape.filter((_, axis) => axis !== batchAxis);
}

/** The inputs of a graph, except parameters that are listed as inputs too (ONNX IR 3). */
export function programInputs(graph: Graph, axes: ReadonlyMap<string, number>): readonly ProgramInput[] {
  return graph.inputs
    .filter(({ name }) => !graph.parameters.has(name))
    .map((value) => ({ ...value, batchAxis: axes.get(value.name) ?? 0 }));
}

/** The values of the inputs' named sizes in a batch. */
export function feedSizes({ inputs }: Fed, feeds: Feeds): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, shape } of inputs) {
    const { dims = [] } = feeds[name] ?? {};
    shape.forEach((dim, axis) => {
      if (typeof dim === "string") sizes.set(dim, dims[axis] ?? 1);
    });
  }
  return sizes;
}

/** The names by which the inputs call the number of examples in a batch: each may have its own. */
export function batchNames({ inputs }: Fed): readonly string[] {
  return inputs.flatMap(({ shape, batchAxis }) => {
    const dim = shape[batchAxis];
    return typeof dim === "string" ? [dim] : [];
  });
}

/** The only number of examples that the model accepts at a time, if it was exported for one. */
export function fixedBatch({ inputs }: Fed): number | undefined {
  const sizes = inputs.map(({ shape, batchAxis }) => shape[batchAxis]);
  return sizes.find((size) => typeof size === "number");
}
