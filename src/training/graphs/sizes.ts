import type { Dataset } from "../../data/dataset.ts";
import { bindDim } from "../../graph/dim.ts";
import type { Graph } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { didYouMean } from "../../tensor/unknown-name.ts";
import type { Sizes } from "../settings/task-options.ts";
import { batchNames, exampleShape, type ProgramInput } from "./program-inputs.ts";

/** The parts of a data set that say how large an example is. */
export type Sized = Pick<Dataset, "features" | "featureDims" | "inputs">;

/**
 * The numbers of the inputs' named sizes, except that of the batch: the caller's, else those of the data.
 * Throws `ARGUMENT` for a name that is not such a size, and for a size that is not a positive integer.
 */
export function knownSizes(
  inputs: readonly ProgramInput[],
  told: Sizes = {},
  data: Sized | undefined = undefined,
): Sizes {
  const batches = batchNames({ inputs });
  const named = inputs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === "string"));
  const names = [...new Set(named)].filter((name) => !batches.includes(name));
  for (const [name, size] of Object.entries(told)) {
    if (!names.includes(name)) throw unknownSize(name, names, batches);
    if (!Number.isSafeInteger(size) || size < 1) throw noSize(name, size);
  }
  const seen = data === undefined ? {} : sizesIn(inputs, data);
  return Object.fromEntries(
    names.flatMap((name) => {
      const size = told[name] ?? seen[name];
      return size === undefined ? [] : [[name, size]];
    }),
  );
}

/** The same graph for inputs of these sizes. */
export function bindSizes(graph: Graph, sizes: Sizes): Graph {
  const bindings = new Map(Object.entries(sizes));
  if (bindings.size === 0) return graph;
  const inputs = graph.inputs.map((value) => ({
    ...value,
    shape: value.shape.map((dim) => bindDim(dim, bindings)),
  }));
  return { ...graph, inputs };
}

/** Whether data have a column for the input of this name. */
export function hasColumn({ inputs }: Pick<Sized, "inputs">, name: string): boolean {
  return inputs !== undefined && Object.hasOwn(inputs, name);
}

/** The input that takes the features: the first float32 one without a column of its own. */
export function featuresInput(inputs: readonly ProgramInput[], data: Sized): ProgramInput | undefined {
  if (data.features.length === 0) return undefined;
  const open = inputs.filter(({ name }) => !hasColumn(data, name));
  return open.find(({ dtype }) => dtype === "float32") ?? (open.length === 1 ? open[0] : undefined);
}

/** The values of the named sizes in an example of the data; the first of them if two differ. */
function sizesIn(inputs: readonly ProgramInput[], data: Sized): Sizes {
  const taker = featuresInput(inputs, data);
  const sizes: Record<string, number> = {};
  for (const input of inputs) {
    const dims = input === taker ? data.featureDims : data.inputs?.[input.name]?.dims;
    const shape = exampleShape(input);
    if (dims?.length !== shape.length) continue;
    shape.forEach((dim, axis) => {
      if (typeof dim === "string") sizes[dim] ??= dims[axis] as number;
    });
  }
  return sizes;
}

function unknownSize(name: string, names: readonly string[], batches: readonly string[]): EspalierError {
  const known = names.length === 0 ? "The model has none." : `It has ${names.join(", ")}.`;
  return new EspalierError("ARGUMENT", {
    thing: `size "${name}"`,
    rule: batches.includes(name)
      ? "counts the examples of a batch, of which the model accepts any number"
      : "must be a named size of the model's inputs",
    received: name,
    remedy: batches.includes(name)
      ? "Leave it out of the sizes (--sizes), and say how many by batchSize (--batch)."
      : [didYouMean(name, names), known].filter((part) => part !== undefined).join(" "),
  });
}

function noSize(name: string, size: number): EspalierError {
  return new EspalierError("ARGUMENT", {
    thing: `size "${name}"`,
    rule: "must be a whole number of at least 1",
    received: size,
  });
}
