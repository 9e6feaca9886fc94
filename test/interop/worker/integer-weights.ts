import type { Feeds } from "../../../src/engine/session.ts";
import { type Model, withParameters } from "../../../src/graph/model.ts";
import { Random } from "../../../src/tensor/random.ts";
import { makeTensor, sizeOf, type Tensor } from "../../../src/tensor/tensor.ts";
import { trainableOf } from "../../../src/training/settings/trainable.ts";

/** Activations that round. */
const activations: ReadonlySet<string> = new Set(
  "Celu Elu Gelu HardSigmoid HardSwish LeakyRelu Mish Selu Sigmoid Softplus Softsign Tanh".split(" "),
);

/**
 * The same model with Relu for the activations that round. The contents of new units do not affect the old
 * ones, so growth is as exact as before.
 */
export function piecewiseLinear(model: Model): Model {
  const nodes = model.graph.nodes.map((node) =>
    node.domain === "" && activations.has(node.op) ? { ...node, op: "Relu", attributes: {} } : node,
  );
  return { ...model, graph: { ...model.graph, nodes } };
}

/**
 * The same model with integers for weights: in matrices and kernels about `density` of an entry's terms are 1
 * or -1 and the others 0; in vectors they are ±1 or ±2. BatchNormalization subtracts 0 and divides by 1.
 */
export function integerWeights(model: Model, density: number): Model {
  const { graph } = model;
  const fixed = new Map<string, number>();
  for (const { op, inputs, attributes } of graph.nodes) {
    if (op !== "BatchNormalization") continue;
    const { epsilon } = attributes;
    fixed.set(inputs[3] ?? "", 0);
    fixed.set(inputs[4] ?? "", 1 - (epsilon?.kind === "float" ? epsilon.value : 1e-5));
  }
  const parameters = new Map(graph.parameters);
  for (const name of [...trainableOf(model), ...fixed.keys()]) {
    const tensor = graph.parameters.get(name);
    if (tensor === undefined) continue;
    const draws = new Random(0, `integers ${name}`);
    const share = density / termsOf(tensor.dims);
    const draw = () => {
      if (tensor.dims.length === 1) return sign(draws) * (1 + draws.integer(2));
      return draws.uniform() < share ? sign(draws) : 0;
    };
    const value = fixed.get(name);
    parameters.set(name, mapReal(tensor, value === undefined ? draw : () => value));
  }
  return withParameters(model, parameters);
}

/** Mostly 1: with equally many minus signs, Relu would leave nothing of a deep network. */
function sign(draws: Random): number {
  return draws.integer(4) === 0 ? -1 : 1;
}

/**
 * Number of terms in one entry of a product: all axes but the first for a kernel; a matrix may have either
 * orientation.
 */
function termsOf(dims: readonly number[]): number {
  return dims.length === 2 ? Math.sqrt(sizeOf(dims)) : sizeOf(dims) / (dims[0] ?? 1);
}

/**
 * Replaces numbers by magnitudes and differences by sums: every value bounds the sums behind the signed one.
 */
export function withoutSigns(model: Model): Model {
  const parameters = new Map(
    [...model.graph.parameters].map(([name, one]) => [name, mapReal(one, Math.abs)]),
  );
  const unsigned: Readonly<Record<string, string>> = { Sub: "Add", Neg: "Identity" };
  const nodes = model.graph.nodes.map((node) => ({ ...node, op: unsigned[node.op] ?? node.op }));
  return withParameters({ ...model, graph: { ...model.graph, nodes } }, parameters);
}

/** Inputs rounded to whole numbers. */
export function integral(feeds: Feeds): Feeds {
  return mapFeeds(feeds, Math.round);
}

export function magnitudes(feeds: Feeds): Feeds {
  return mapFeeds(feeds, Math.abs);
}

function mapFeeds(feeds: Feeds, of: (value: number) => number): Feeds {
  return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, mapReal(tensor, of)]));
}

/** Dtypes other than float32 and float64 are unchanged. */
function mapReal(tensor: Tensor, of: (value: number) => number): Tensor {
  const { dtype, dims, data } = tensor;
  if (dtype === "float32") return makeTensor(dtype, dims, (data as Float32Array).map(of));
  if (dtype === "float64") return makeTensor(dtype, dims, (data as Float64Array).map(of));
  return tensor;
}
