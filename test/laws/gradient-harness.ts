import { Session } from "../../src/engine/session.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import type { GraphBuilder } from "../../src/graph/builder.ts";
import { evaluateDim, type Shape } from "../../src/graph/dim.ts";
import { type Attributes, type Model, makeModel, type Node, type ValueType } from "../../src/graph/model.ts";
import { newGraph, operatorOf } from "../../src/ops/index.ts";
import { Call, type GradientCall } from "../../src/ops/rules/operator.ts";
import { isFloat } from "../../src/tensor/dtype.ts";
import { EspalierError } from "../../src/tensor/errors.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";

/** One call of one operator, whose gradient rule is compared with central differences. */
export interface GradientCase {
  readonly op: string;
  /**
   * By input; undefined if an optional input is left out. int64 inputs become parameters, all others are fed.
   */
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes?: Attributes;
  /** Inputs (float32) whose gradient is checked. */
  readonly differentiable: readonly number[];
  /** Number of outputs; default 1. The loss is a random linear functional of the floating-point ones. */
  readonly outputs?: number;
  /** Outputs that the loss depends on; default every floating-point output. */
  readonly lossOutputs?: readonly number[];
  /** int64 inputs that are fed too, so that rules cannot see their values. */
  readonly fed?: readonly number[];
  /**
   * Fed inputs whose sizes stay numbers; in the second of two rounds, all other sizes except 1 are symbolic.
   */
  readonly numeric?: readonly number[];
  /** Keep the sizes of axes 2 and later numbers, as in training graphs of convolutions. */
  readonly spatial?: boolean;
  /** Allowed difference, relative to 1 + the largest gradient entry. See {@link toleranceOf}. */
  readonly tolerance?: number;
  /** Do not use the float64 kernel even if ONNX Runtime has one. */
  readonly float32Only?: boolean;
  /** Domain of the operator; default the standard one. */
  readonly domain?: string;
  /** Operator set of the call; default 20, which graphs are written in. */
  readonly opset?: number;
  /** Output 0 in float64, from inputs in float64, if ONNX Runtime has no kernel for that. */
  readonly exact?: (inputs: readonly (Tensor | undefined)[]) => Tensor;
}

export interface GradientReport {
  /** Largest |rule - difference| / (1 + largest |gradient|). */
  readonly error: number;
  /** The precision of the forward passes for the differences. */
  readonly precision: "float32" | "float64";
  readonly shapes: readonly (readonly number[])[];
}

/**
 * Checks an operator's shape rule and gradient rule on one call, first with sizes as numbers, then with every
 * size except 1 symbolic (like parameters and the batch in training graphs). Throws an Error that says what
 * differs.
 */
export async function checkGradient(test: GradientCase): Promise<GradientReport> {
  const forward = await forwardOf(test);
  const functional = functionalOf(test, forward.values);
  const expected = await differences(test, forward, functional);
  let error = 0;
  for (const named of [false, true]) {
    const actual = await gradients(test, forward.values, functional, named);
    for (const [index, numbers] of expected) {
      const computed = Array.from(actual.get(index)?.data as Float32Array);
      const scale = 1 + Math.max(0, ...computed.map(Math.abs));
      const tolerance = test.tolerance ?? toleranceOf(forward.precision);
      computed.forEach((value, at) => {
        const difference = Math.abs(value - (numbers[at] as number)) / scale;
        error = Math.max(error, difference);
        if (!(difference <= tolerance)) {
          fail(
            test,
            `gradient of input ${index} at ${at} is ${value}, central differences give ${numbers[at]} (${forward.precision}, ${named ? "named" : "numeric"} sizes)`,
          );
        }
      });
    }
  }
  await forward.session.release();
  return { error, precision: forward.precision, shapes: forward.values.map(({ dims }) => dims) };
}

/**
 * In float64 the differences are accurate to 1e-8, and what remains is the rule's own float32 arithmetic:
 * sums of up to a few hundred terms, 2e-5. In float32, two steps extrapolated (error of order step⁴ plus unit
 * roundoff / step): 2e-3.
 */
function toleranceOf(precision: GradientReport["precision"]): number {
  return precision === "float64" ? 2e-5 : 2e-3;
}

/** Values in [-scale, scale], reproducible, and no two closer to each other or to 0 than `gap` of the range. */
export function randomTensor(seed: number, dims: readonly number[], scale = 2): Tensor<"float32"> {
  const random = new Random(seed, "gradient-harness");
  const size = sizeOf(dims);
  const order = random.permutation(2 * size);
  // Strata keep values apart, so that no difference crosses a kink (ties of a maximum, the corner of Relu).
  const data = Float32Array.from({ length: size }, (_, index) => {
    const stratum = (order[index] as number) + 0.25 + 0.5 * random.uniform();
    return scale * (stratum / size - 1);
  });
  return float32(dims, data);
}

/** A graph around the call as a model of the call's operator set. */
export function modelOf(test: GradientCase, graph: GraphBuilder, name: string): Model {
  const model = makeModel(graph.build(name));
  const opsets = new Map(test.opset === undefined ? model.opsets : [["", test.opset]]);
  return { ...model, opsets: test.domain === undefined ? opsets : opsets.set(test.domain, 1) };
}

interface Forward {
  readonly session: Session;
  readonly precision: GradientReport["precision"];
  /** Copies that computing the differences may change in place. */
  readonly feeds: Record<string, Tensor>;
  readonly values: readonly Tensor[];
}

const inputName = (index: number) => `x${index}`;
const outputName = (index: number) => `y${index}`;

function nodeOf(test: GradientCase): Node {
  return {
    name: "checked",
    op: test.op,
    domain: test.domain ?? "",
    inputs: test.inputs.map((tensor, index) => (tensor === undefined ? "" : inputName(index))),
    outputs: Array.from({ length: test.outputs ?? 1 }, (_, index) => outputName(index)),
    attributes: test.attributes ?? {},
  };
}

function isParameter(test: GradientCase, index: number): boolean {
  return test.inputs[index]?.dtype === "int64" && !(test.fed ?? []).includes(index);
}

/** Declares the inputs; on request every size except 1 is symbolic, with the same name for the same size. */
function declare(graph: GraphBuilder, test: GradientCase, named: boolean, inputs = test.inputs): void {
  inputs.forEach((tensor, index) => {
    if (tensor === undefined) return;
    if (isParameter(test, index)) {
      graph.parameter(inputName(index), tensor);
      return;
    }
    const free = named && !(test.numeric ?? []).includes(index);
    const shape: Shape = tensor.dims.map((dim, axis) =>
      free && dim !== 1 && !(test.spatial === true && axis >= 2) ? `d${dim}` : dim,
    );
    graph.input(inputName(index), { dtype: tensor.dtype, shape });
  });
}

async function forwardOf(test: GradientCase): Promise<Forward> {
  const node = nodeOf(test);
  const attempt = async (precision: GradientReport["precision"]): Promise<Forward> => {
    const inputs = test.inputs.map((tensor): Tensor | undefined => {
      if (tensor?.dtype !== "float32") return tensor;
      return precision === "float64"
        ? { dtype: "float64", dims: tensor.dims, data: Float64Array.from(tensor.data as Float32Array) }
        : { ...tensor, data: tensor.data.slice() as Float32Array };
    });
    const graph = newGraph();
    declare(graph, test, false, inputs);
    graph.add(node);
    for (const name of node.outputs) graph.output(name);
    const session = await Session.create(encodeModel(modelOf(test, graph, "forward")));
    const feeds: Record<string, Tensor> = {};
    inputs.forEach((tensor, index) => {
      if (tensor !== undefined && !isParameter(test, index)) feeds[inputName(index)] = tensor;
    });
    const results = await session.run(feeds, Object.fromEntries(node.outputs.map((name) => [name, null])));
    const values = node.outputs.map((name) => results[name] as Tensor);
    values.forEach((value, index) => {
      checkShape(test, graph.typeOf(outputName(index)), value, `output ${index}`);
    });
    return { session, precision, feeds, values };
  };
  if (test.float32Only !== true) {
    try {
      return await attempt("float64");
    } catch (error) {
      // Many kernels exist only in float32; any other error will occur again below.
      if (!(error instanceof EspalierError) || error.code !== "ENGINE") throw error;
    }
  }
  return attempt("float32");
}

/** Coefficients of the loss, by output; undefined if it does not depend on the output. */
function functionalOf(test: GradientCase, values: readonly Tensor[]): readonly (Tensor | undefined)[] {
  const random = new Random(7, "functional");
  return values.map((value, index) => {
    if (!(test.lossOutputs?.includes(index) ?? isFloat(value.dtype))) return undefined;
    return float32(
      value.dims,
      Float32Array.from({ length: sizeOf(value.dims) }, () => random.uniform() * 2 - 1),
    );
  });
}

/** Central differences of the loss, by differentiable input. */
async function differences(
  test: GradientCase,
  { session, precision, feeds, values }: Forward,
  functional: readonly (Tensor | undefined)[],
): Promise<Map<number, number[]>> {
  const fetches = Object.fromEntries(values.map((_, index) => [outputName(index), null]));
  const run = async (data: Float32Array | Float64Array, at: number, value: number) => {
    data[at] = value;
    const results = await session.run(feeds, fetches);
    return values.map((_, index) => results[outputName(index)]?.data as Float64Array);
  };
  const slope = async (data: Float32Array | Float64Array, at: number, step: number) => {
    const middle = data[at] as number;
    const up = await run(data, at, middle + step);
    const high = data[at] as number;
    const down = await run(data, at, middle - step);
    const low = data[at] as number;
    data[at] = middle;
    let sum = 0;
    functional.forEach((weights, index) => {
      if (weights === undefined) return;
      const [a, b] = [up[index] as Float64Array, down[index] as Float64Array];
      (weights.data as Float32Array).forEach((weight, i) => {
        sum += weight * ((a[i] as number) - (b[i] as number));
      });
    });
    return sum / (high - low);
  };
  const result = new Map<number, number[]>();
  for (const index of test.differentiable) {
    const data = feeds[inputName(index)]?.data as Float32Array | Float64Array;
    const numbers: number[] = [];
    for (let at = 0; at < data.length; at++) {
      if (precision === "float64") numbers.push(await slope(data, at, 2 ** -16));
      else numbers.push((4 * (await slope(data, at, 2 ** -7)) - (await slope(data, at, 2 ** -6))) / 3);
    }
    result.set(index, numbers);
  }
  return result;
}

/** Runs the gradient rule on its own and returns the gradients of the differentiable inputs. */
async function gradients(
  test: GradientCase,
  values: readonly Tensor[],
  functional: readonly (Tensor | undefined)[],
  named: boolean,
): Promise<Map<number, Tensor>> {
  const node = nodeOf(test);
  const graph = newGraph();
  declare(graph, test, named);
  graph.add(node);
  const bindings = new Map<string, number>();
  for (const tensor of test.inputs) for (const dim of tensor?.dims ?? []) bindings.set(`d${dim}`, dim);
  values.forEach((value, index) => {
    checkShape(test, graph.typeOf(outputName(index)), value, `output ${index}`, bindings);
  });
  // A rule may refuse a call; its inferred types must still be right.
  if (test.differentiable.length === 0) return new Map();
  const feeds: Record<string, Tensor> = {};
  test.inputs.forEach((tensor, index) => {
    if (tensor !== undefined && !isParameter(test, index)) feeds[inputName(index)] = tensor;
  });
  const outputGradients = functional.map((weights, index) => {
    if (weights === undefined) return undefined;
    feeds[`r${index}`] = weights;
    return graph.input(`r${index}`, { dtype: "float32", shape: graph.typeOf(outputName(index)).shape });
  });
  const rule = operatorOf(node).gradient;
  if (rule === "none") fail(test, "the operator has no gradient rule");
  const inputGradients = rule(new HarnessCall(graph, node, outputGradients, test.differentiable));
  const fetches: Record<string, null> = {};
  const names = new Map<number, string>();
  for (const index of test.differentiable) {
    const gradient = inputGradients[index];
    if (gradient === undefined) fail(test, `the rule gave no gradient for input ${index}`);
    const name = graph.emit("Identity", [gradient], {}, `gradient${index}`);
    names.set(index, name);
    graph.output(name);
    fetches[name] = null;
  }
  const session = await Session.create(encodeModel(modelOf(test, graph, "gradient")));
  const wanted = Object.fromEntries(
    Object.entries(feeds).filter(([name]) => session.inputNames.includes(name)),
  );
  const results = await session.run(wanted, fetches);
  await session.release();
  const tensors = new Map<number, Tensor>();
  for (const [index, name] of names) {
    const tensor = results[name] as Tensor;
    const dims = test.inputs[index]?.dims as readonly number[];
    if (tensor.dims.join() !== dims.join()) {
      fail(test, `gradient of input ${index} has shape [${tensor.dims}], the input [${dims}]`);
    }
    checkShape(test, graph.typeOf(name), tensor, `gradient of input ${index}`, bindings);
    tensors.set(index, tensor);
  }
  return tensors;
}

/** Compares an inferred type with what ONNX Runtime computed. Sizes that the rule could not infer pass. */
function checkShape(
  test: GradientCase,
  type: ValueType,
  tensor: Tensor,
  thing: string,
  bindings: ReadonlyMap<string, number> = new Map(),
): void {
  const sizes = type.shape.map((dim) => evaluateDim(dim, bindings));
  const same =
    (type.dtype === tensor.dtype || (isFloat(type.dtype) && isFloat(tensor.dtype))) &&
    sizes.length === tensor.dims.length &&
    sizes.every((size, axis) => size === undefined || size === tensor.dims[axis]);
  if (!same)
    fail(test, `${thing} was inferred as ${type.dtype} [${type.shape}], is ${tensor.dtype} [${tensor.dims}]`);
}

function fail(test: GradientCase, what: string): never {
  const inputs = test.inputs.map((tensor) =>
    tensor === undefined ? "–" : `${tensor.dtype}[${tensor.dims}]`,
  );
  throw new Error(
    `${test.op}(${inputs.join(", ")}) ${JSON.stringify(test.attributes ?? {}, (_, value) =>
      typeof value === "bigint"
        ? Number(value)
        : ArrayBuffer.isView(value)
          ? Array.from(value as Float32Array)
          : value,
    )}: ${what}`,
  );
}

/** A gradient call of the one node under test. */
class HarnessCall extends Call implements GradientCall {
  readonly graph: GraphBuilder;
  readonly outputGradients: readonly (string | undefined)[];
  readonly #wanted: readonly number[];

  constructor(
    graph: GraphBuilder,
    node: Node,
    outputGradients: readonly (string | undefined)[],
    wanted: readonly number[],
  ) {
    super(
      node,
      (name) => (graph.has(name) ? graph.typeOf(name) : undefined),
      (name) => graph.parameters.get(name),
    );
    this.graph = graph;
    this.outputGradients = outputGradients;
    this.#wanted = wanted;
  }

  get upstream(): string {
    return this.outputGradients[0] ?? this.fail("needs the gradient of its first output", this.node.outputs);
  }

  wants(index: number): boolean {
    return this.#wanted.includes(index);
  }
}
