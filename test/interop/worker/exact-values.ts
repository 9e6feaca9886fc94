import type { Graph, Node } from "../../../src/graph/model.ts";
import { inferTypes } from "../../../src/ops/infer.ts";
import { isFloat } from "../../../src/tensor/dtype.ts";

/**
 * Operators that add up many terms: their inputs must be exact for their results to be exact in any order.
 */
const sums: ReadonlySet<string> = new Set(
  "AveragePool BatchNormalization Conv ConvTranspose Gemm GlobalAveragePool MatMul ReduceMean ReduceSum".split(
    " ",
  ),
);

/**
 * Operators that round nothing on small integers, and whose results are never larger than their results on
 * magnitudes.
 */
const exactOperators: ReadonlySet<string> = new Set([
  ...sums,
  ..."Abs Add Clip Max MaxPool Mul Neg Relu Sub".split(" "),
  ..."Cast Concat ConstantOfShape DepthToSpace Expand Flatten Gather Identity Pad Reshape Resize".split(" "),
  ..."Slice Split Squeeze Transpose Unsqueeze".split(" "),
]);

/**
 * The float values of a graph that are exact if weights and inputs are small integers. Other operators may
 * come only after the last sum, where they treat each entry separately; otherwise the result is the operator
 * that comes before a sum.
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
  // A constant that has not become a parameter (ops/rewrites/own-parameters.ts) contains no weights.
  return domain === "" && (exactOperators.has(op) || inputs.length === 0);
}
