import type { Feeds } from "../engine/session.ts";
import type { Shape } from "../graph/dim.ts";
import type { Graph, Value } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import type { Program } from "./program.ts";

/** An input of the model that takes a new batch each step. */
export interface ProgramInput extends Value {
  /** The axis along which the examples stand. */
  readonly batchAxis: number;
}

/** The shape of one example. */
export function exampleShape({ shape, batchAxis }: ProgramInput): Shape {
  return shape.filter((_, axis) => axis !== batchAxis);
}

/**
 * The inputs of a graph, but for parameters that are listed as inputs too (ONNX IR 3). Examples stand along the axis
 * that the output counts first, where an input has it (a recurrent model may take the sequence first), else along axis 0.
 * Throws `SHAPE_MISMATCH` for a scalar.
 */
export function programInputs(graph: Graph, output: Shape): readonly ProgramInput[] {
  const [batch] = output;
  return graph.inputs
    .filter(({ name }) => !graph.parameters.has(name))
    .map((value) => {
      if (value.shape.length === 0) {
        throw new EspalierError("SHAPE_MISMATCH", {
          thing: `input "${value.name}"`,
          rule: "needs an axis for the examples of a batch to be trained with",
          received: "a scalar",
        });
      }
      const axis = typeof batch === "string" ? value.shape.indexOf(batch) : 0;
      return { ...value, batchAxis: Math.max(0, axis) };
    });
}

/** What the named sizes of the inputs come to in a batch. */
export function feedSizes({ inputs }: Pick<Program, "inputs">, feeds: Feeds): Map<string, number> {
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
export function batchNames({ inputs }: Pick<Program, "inputs">): readonly string[] {
  return inputs.flatMap(({ shape, batchAxis }) => {
    const dim = shape[batchAxis];
    return typeof dim === "string" ? [dim] : [];
  });
}

/** The only number of examples that the model takes at a time, where it was exported so. */
export function fixedBatch({ inputs }: Pick<Program, "inputs">): number | undefined {
  const sizes = inputs.map(({ shape, batchAxis }) => shape[batchAxis]);
  return sizes.find((size) => typeof size === "number");
}
