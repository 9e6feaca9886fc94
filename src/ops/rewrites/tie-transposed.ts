import type { Graph, Node } from "../../graph/model.ts";
import { ints } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * Stores a matrix only once if it is also stored transposed: PyTorch's dynamo exporter folds `x @ w.T` that way, and the
 * two would diverge in training. The second becomes a Transpose of the first.
 */
export function tieTransposed(graph: Graph): Graph {
  const byEnds = new Map<string, string[]>();
  const twins = new Map<string, string>();
  for (const [name, tensor] of graph.parameters) {
    if (!isFloat(tensor.dtype) || tensor.dims.length !== 2 || tensor.data.length < 4) continue;
    const [rows, columns] = tensor.dims as readonly [number, number];
    if (rows < 2 || columns < 2) continue;
    const ends = `${tensor.dtype} ${tensor.data[0]} ${tensor.data[rows * columns - 1]}`;
    const alike = byEnds.get(ends) ?? [];
    const twin = alike.find((other) => isTransposed(graph.parameters.get(other) as Tensor, tensor));
    if (twin === undefined) byEnds.set(ends, [...alike, name]);
    else twins.set(name, twin);
  }
  if (twins.size === 0) return graph;
  const results = new Set(graph.outputs.map(({ name }) => name));
  const parameters = new Map(graph.parameters);
  const transposed: Node[] = [];
  for (const [name, twin] of twins) {
    if (results.has(name)) continue;
    parameters.delete(name);
    transposed.push({
      name: `transposed ${twin} as ${name}`,
      op: "Transpose",
      domain: "",
      inputs: [twin],
      outputs: [name],
      attributes: { perm: ints([1, 0]) },
    });
  }
  return { ...graph, nodes: [...transposed, ...graph.nodes], parameters };
}

/** Whether b is aᵀ, and not by chance: matrices with few distinct values (masks, unit matrices) may agree untied. */
function isTransposed(a: Tensor, b: Tensor): boolean {
  const [rows = 0, columns = 0] = a.dims;
  if (b.dims[0] !== columns || b.dims[1] !== rows) return false;
  const [x, y] = [a.data as Float32Array, b.data as Float32Array];
  let symmetric = rows === columns;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = x[row * columns + column];
      if (value !== y[column * rows + row]) return false;
      if (symmetric && value !== x[column * columns + row]) symmetric = false;
    }
  }
  return !symmetric && new Set(x.subarray(0, 64)).size > 3;
}
