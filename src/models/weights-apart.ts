import type { Feeds } from "../engine/session.ts";
import type { Model, Node, Value } from "../graph/model.ts";
import { needsOf } from "../graph/order.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A model and some of its parameters, which are now inputs of it. */
export interface WeightsApart {
  readonly model: Model;
  readonly weights: Feeds;
}

/** Size in bytes from which a parameter is worth passing separately. */
const large = 2 ** 16;

/** Whether a parameter is worth passing separately. */
export function isLarge(_: string, { dtype, data }: Tensor): boolean {
  return dtype === "float32" && (data as Float32Array).byteLength >= large;
}

/**
 * The same function with the parameters that `wanted` picks as inputs; default: the large float32 ones. ONNX
 * Runtime reads inputs in place, but copies parameters out of a model's bytes, which are already a copy.
 */
export function weightsApart(
  model: Model,
  wanted: (name: string, tensor: Tensor) => boolean = isLarge,
): WeightsApart {
  const { graph } = model;
  const weights = new Map([...graph.parameters].filter(([name, tensor]) => wanted(name, tensor)));
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

/**
 * The same nodes, with those first that need nothing but weights. ONNX Runtime 1.30 computes the inputs of a node in the
 * reverse of the order in which they are listed: what comes first is computed just before it is read, and not for all
 * nodes at once.
 */
export function weightsFirst(nodes: readonly Node[], weights: ReadonlySet<string>): readonly Node[] {
  const early = new Set(weights);
  const [first, rest]: [Node[], Node[]] = [[], []];
  for (const node of nodes) {
    const isEarly = needsOf(node).every((name) => name === "" || early.has(name));
    (isEarly ? first : rest).push(node);
    if (isEarly) for (const name of node.outputs) early.add(name);
  }
  return [...first, ...rest];
}
