import { type Model, makeModel } from "../graph/model.ts";
import { newGraph } from "../ops/index.ts";
import { EspalierError } from "../tensor/errors.ts";
import { checkOptionNames, type OptionNames } from "../tensor/known-options.ts";
import { Random } from "../tensor/random.ts";
import type { Layer } from "./layer.ts";

export interface ModelOptions {
  /** Seed of the initial weights. Default 0. */
  readonly seed?: number;
  /** Name of the graph. Default "espalier". */
  readonly name?: string;
}

/** Their names, for callers in JavaScript. */
export const modelNames: OptionNames<ModelOptions> = { seed: true, name: true };

const weighted = new Set(["hidden", "conv"]);

/**
 * Layers one after another. `inputDims` is the shape of one example, e.g. [64] or [1, 28, 28]. Layers are
 * named after their kind and numbered from 1 (hidden1, conv1, norm1, ...); the last one with weights is
 * "output".
 */
export function sequential(
  inputDims: readonly number[],
  layers: readonly Layer[],
  options: ModelOptions = {},
): Model {
  checkOptionNames("sequential", options, modelNames);
  return stack(inputDims, layers, options);
}

/** {@link sequential} for an architecture, which has more options than these. */
export function stack(inputDims: readonly number[], layers: readonly Layer[], options: ModelOptions): Model {
  const bad = inputDims.find((dim) => !Number.isSafeInteger(dim) || dim < 1);
  if (inputDims.length === 0 || bad !== undefined) {
    throw new EspalierError("ARGUMENT", {
      thing: "input shape",
      rule: "must list positive whole sizes, without the batch",
      received: inputDims,
    });
  }
  const graph = newGraph();
  graph.reserve(["input", "output"]);
  let value = graph.input("input", { dtype: "float32", shape: ["batch", ...inputDims] });
  const counts = new Map<string, number>();
  const lastWeighted = layers.findLastIndex((layer) => weighted.has(layer.kind));
  layers.forEach((layer, index) => {
    const last = index === lastWeighted;
    const count = (counts.get(layer.kind) ?? 0) + 1;
    counts.set(layer.kind, count);
    const name = layer.name ?? (last ? "output" : `${layer.kind}${count}`);
    value = layer.build(
      {
        graph,
        name,
        last,
        random: (parameter) => new Random(options.seed ?? 0, `init ${name}.${parameter}`),
      },
      value,
    );
  });
  graph.add({
    name: "output",
    op: "Identity",
    domain: "",
    inputs: [value],
    outputs: ["output"],
    attributes: {},
  });
  graph.output("output");
  return makeModel(graph.build(options.name ?? "espalier"));
}
