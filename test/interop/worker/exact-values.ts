import type { Graph, Node } from "../../../src/graph/model.ts";
import { inferTypes } from "../../../src/ops/infer.ts";
import { isFloat } from "../../../src/tensor/dtype.ts";

/** Operators that add up many terms: what they are given must be exact for their result to be so in any order. */
const sums: ReadonlySet<string> = new Set(
  "AveragePool BatchNormalization Conv ConvTranspose Gemm GlobalAveragePool MatMul ReduceMean ReduceSum".split(
    " ",
  ),
);

/** Operators that round nothing on small integers and never make a magnitude larger than their magnitudes make it. */
const exactOperators: ReadonlySet<string> = new Set([
  ...sums,
  ..."Abs Add Clip Max MaxPool Mul Neg Relu Sub".split(" "),
  ..."Cast Concat ConstantOfShape DepthToSpace Expand Flatten Gather Identity Pad Reshape Resize".split(" "),
  ..."Slice Split Squeeze Transpose Unsqueeze".split(" "),
]);

/**
 * The float values of a graph that are exact where weights and inputs are small integers. Other operators may only
 * come after the last sum, where they see each entry alone; else the answer is which operator comes before one.
 */
export function exactValues(
  graph: Graph,
): { readonly exact: readonly string[] } | { readonly inexact: string } {
  const types = inferTypes(graph);
  const float = (name: string) => {
    const dtype = types.get(name)?.dtype;
    return dtype === undefined || isFloat(dtype);
  };
  /** Rounded values to the operator that rounded them. */
  const rounded = new Map<string, string>();
  const exact: string[] = [];
  for (const node of graph.nodes) {
    const outputs = node.outputs.filter((name) => name !== "");
    const cause = node.inputs.map((name) => rounded.get(name)).find((op) => op !== undefined);
    if (cause !== undefined && sums.has(node.op))
      return { inexact: `${node.op} adds up what ${cause} rounded` };
    const source = cause ?? (outputs.some(float) && !isExact(node) ? node.op : undefined);
    if (source !== undefined) for (const name of outputs) rounded.set(name, source);
    else exact.push(...outputs.filter(float));
  }
  return { exact };
}

function isExact({ domain, op, inputs }: Node): boolean {
  // A constant that is not a parameter by now (ops/rewrites/own-parameters.ts) holds no weights.
  return domain === "" && (exactOperators.has(op) || inputs.length === 0);
}
