import type { Feeds } from "../engine/session.ts";
import type { Model, Value } from "../graph/model.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A model and large parameters of it, which it takes as inputs. */
export interface WeightsApart {
  readonly model: Model;
  readonly weights: Feeds;
}

/** Bytes from which a parameter is worth handing over by itself. */
const large = 2 ** 20;

/**
 * The same function with its large float32 parameters as inputs: ONNX Runtime reads those where they are, while it copies
 * what stands in a model's bytes, which are a copy already.
 */
export function weightsApart(model: Model): WeightsApart {
  const { graph } = model;
  const isLarge = ([, { dtype, data }]: readonly [string, Tensor]) =>
    dtype === "float32" && (data as Float32Array).byteLength >= large;
  const weights = new Map([...graph.parameters].filter(isLarge));
  const inputs = [...weights].map(([name, { dtype, dims }]): Value => ({ name, dtype, shape: dims }));
  return {
    model: {
      ...model,
      graph: {
        ...graph,
        inputs: [...graph.inputs.filter(({ name }) => !weights.has(name)), ...inputs],
        parameters: new Map([...graph.parameters].filter(([name]) => !weights.has(name))),
      },
    },
    weights: Object.fromEntries(weights),
  };
}
