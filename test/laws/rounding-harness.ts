import { Session } from "../../src/engine/session.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import type { GraphBuilder } from "../../src/graph/builder.ts";
import type { Node } from "../../src/graph/model.ts";
import { newGraph, operatorOf } from "../../src/ops/index.ts";
import { Call, type RoundingCall } from "../../src/ops/rules/operator.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { exactElementwise } from "./exact-functions.ts";
import { type GradientCase, modelOf } from "./gradient-harness.ts";

const inputName = (index: number) => `x${index}`;
const boundName = (index: number) => `d${index}`;

/**
 * Checks an operator's rounding rule against float64: its inputs are off by up to a random bound (`size`
 * times a number in [0, 1]; exact if `size` is 0), and output 0 must be off by no more than the rule says.
 * Returns the largest fraction of the bound that was used.
 */
export async function checkRounding(test: GradientCase, size: number): Promise<number> {
  const random = new Random(11, "rounding-harness");
  const bounds = test.inputs.map((tensor) => {
    if (size === 0) return undefined;
    // A boolean with bound 1 may be wrong.
    if (tensor?.dtype === "bool") {
      return float32(
        tensor.dims,
        Array.from(tensor.data as Uint8Array, () => Number(random.uniform() < 0.5)),
      );
    }
    if (tensor?.dtype !== "float32") return undefined;
    return float32(
      tensor.dims,
      Float32Array.from(tensor.data as Float32Array, () => size * random.uniform()),
    );
  });
  const exact = test.inputs.map((tensor, index): Tensor | undefined => {
    const bound = bounds[index]?.data;
    if (tensor?.dtype === "bool" && bound !== undefined) {
      const flips = (at: number) => bound[at] === 1 && random.uniform() < 0.5;
      const data = Uint8Array.from(tensor.data as Uint8Array, (x, at) => (flips(at) ? 1 - x : x));
      return { dtype: "bool", dims: tensor.dims, data };
    }
    if (tensor?.dtype !== "float32") return tensor;
    const data = Float64Array.from(tensor.data as Float32Array, (x, at) => {
      return x + (bound === undefined ? 0 : (2 * random.uniform() - 1) * (bound[at] as number));
    });
    return { dtype: "float64", dims: tensor.dims, data };
  });
  const node = nodeOf(test);
  const expected =
    test.exact?.(exact) ??
    exactElementwise(test.op, exact, test.attributes ?? {}) ??
    // Throws if ONNX Runtime has no float64 kernel: a law without a reference checks nothing.
    (await run(test, exact, node));
  const { value, bound } = await runWithBound(test, bounds, node);
  let used = 0;
  const allowed = bound?.data as Float32Array | undefined;
  if (bound !== undefined && bound.dims.join() !== value.dims.join()) {
    throw new Error(`${test.op}: the bound has shape [${bound.dims}], the value [${value.dims}]`);
  }
  Array.from(value.data as ArrayLike<number | bigint>, Number).forEach((computed, at) => {
    const truth = Number((expected.data as ArrayLike<number | bigint>)[at]);
    const error = Math.abs(computed - truth);
    // Beyond the largest float32 nothing is promised; a NaN bound allows nothing.
    const most = (allowed?.[at] ?? 0) * (1 + 1e-5);
    if (error > 0) used = Math.max(used, error / most);
    if (!(error <= most) && Math.abs(truth) < 1e38) {
      throw new Error(
        `${test.op} ${JSON.stringify(test.inputs.map((t) => t?.dims))}: off by ${error} at ${at} (${computed}, exactly ${truth}), the bound says ${allowed?.[at] ?? "exact"}`,
      );
    }
  });
  return used;
}

function nodeOf(test: GradientCase): Node {
  return {
    name: "checked",
    op: test.op,
    domain: test.domain ?? "",
    inputs: test.inputs.map((tensor, index) => (tensor === undefined ? "" : inputName(index))),
    outputs: Array.from({ length: test.outputs ?? 1 }, (_, index) => `y${index}`),
    attributes: test.attributes ?? {},
  };
}

/** Declares the inputs and returns what to feed. */
function declare(graph: GraphBuilder, inputs: readonly (Tensor | undefined)[]): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  inputs.forEach((tensor, index) => {
    if (tensor?.dtype === "int64") graph.parameter(inputName(index), tensor);
    else if (tensor !== undefined) {
      graph.input(inputName(index), { dtype: tensor.dtype, shape: tensor.dims });
      feeds[inputName(index)] = tensor;
    }
  });
  return feeds;
}

async function run(test: GradientCase, inputs: GradientCase["inputs"], node: Node): Promise<Tensor> {
  const graph = newGraph();
  const feeds = declare(graph, inputs);
  graph.add(test.op === "Cast" ? { ...node, attributes: { to: { kind: "int", value: 11 } } } : node);
  graph.output("y0");
  const session = await Session.create(encodeModel(modelOf(test, graph, "exact")));
  const { y0 } = await session.run(feeds, { y0: null });
  await session.release();
  return y0 as Tensor;
}

async function runWithBound(test: GradientCase, bounds: readonly (Tensor | undefined)[], node: Node) {
  const graph = newGraph();
  const feeds = declare(graph, test.inputs);
  graph.add(node);
  const names = bounds.map((bound, index) => {
    if (bound === undefined) return undefined;
    feeds[boundName(index)] = bound;
    return graph.input(boundName(index), { dtype: "float32", shape: bound.dims });
  });
  const result = operatorOf(node).rounding(new HarnessCall(graph, node, names));
  const rule = typeof result === "string" ? result : result?.[0];
  graph.output("y0");
  const bound = rule === undefined ? undefined : graph.emit("Identity", [rule], {}, "bound");
  if (bound !== undefined) graph.output(bound);
  const session = await Session.create(encodeModel(modelOf(test, graph, "bounded")));
  const results = await session.run(feeds, { y0: null, ...(bound === undefined ? {} : { [bound]: null }) });
  await session.release();
  return { value: results.y0 as Tensor, bound: bound === undefined ? undefined : (results[bound] as Tensor) };
}

class HarnessCall extends Call implements RoundingCall {
  readonly graph: GraphBuilder;
  readonly inputBounds: readonly (string | undefined)[];

  constructor(graph: GraphBuilder, node: Node, inputBounds: readonly (string | undefined)[]) {
    super(
      node,
      (name) => (graph.has(name) ? graph.typeOf(name) : undefined),
      (name) => graph.parameters.get(name),
    );
    this.graph = graph;
    this.inputBounds = inputBounds;
  }
}
