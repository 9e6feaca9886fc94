import type { Shape } from "../../src/graph/dim.ts";
import { type Attributes, int, type Model, makeModel, withParameters } from "../../src/graph/model.ts";
import { newGraph } from "../../src/ops/index.ts";
import type { DType } from "../../src/tensor/dtype.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, type full, sizeOf } from "../../src/tensor/tensor.ts";

/** [batch, 4] through 6 hidden units to `outputs`, and what `tail` makes of them. */
export function network(
  tail: (
    emit: (op: string, inputs: readonly string[], attributes?: Attributes) => string,
    y: string,
  ) => string,
  {
    outputs = 3,
    head = (_emit: (op: string, inputs: readonly string[], attributes?: Attributes) => string, x: string) =>
      x,
    input = { dtype: "float32" as DType, shape: ["batch", 4] as Shape },
    constants = {} as Readonly<Record<string, ReturnType<typeof full>>>,
  } = {},
): Model {
  const graph = newGraph();
  const random = new Random(11, "network");
  const drawn = (name: string, dims: readonly number[]) =>
    graph.parameter(
      name,
      float32(
        dims,
        Float32Array.from({ length: sizeOf(dims) }, () => random.normal()),
      ),
    );
  for (const [name, tensor] of Object.entries(constants)) graph.parameter(name, tensor);
  const emit = (op: string, inputs: readonly string[], attributes: Attributes = {}) =>
    graph.emit(op, inputs, attributes);
  const x = head(emit, graph.input("x", input));
  const hidden = emit("Relu", [emit("Gemm", [x, drawn("hidden.weight", [4, 6]), drawn("hidden.bias", [6])])]);
  graph.output(
    tail(emit, emit("Gemm", [hidden, drawn("head.weight", [6, outputs]), drawn("head.bias", [outputs])])),
  );
  return makeModel(graph.build("network"));
}

/** The same with another value of a float32 parameter. */
export function changed(model: Model, name: string, change: (data: Float32Array) => void): Model {
  const tensor = model.graph.parameters.get(name);
  if (tensor === undefined) throw new Error(name);
  const data = (tensor.data as Float32Array).slice();
  change(data);
  return withParameters(model, new Map([...model.graph.parameters, [name, { ...tensor, data }]]));
}

/** The same with one entry of a parameter times a factor. */
export function edited(model: Model, name: string, index: number, factor: number): Model {
  return changed(model, name, (data) => {
    data[index] = (data[index] as number) * factor;
  });
}

/** A model whose output has the name that another's has; all intermediate values get new names. */
export function named(model: Model, { graph: { outputs } }: Model): Model {
  const { graph } = model;
  const names = new Map(graph.outputs.map(({ name }, at) => [name, outputs[at]?.name as string]));
  const kept = new Set(["", ...graph.inputs.map(({ name }) => name), ...graph.parameters.keys()]);
  const renamed = (name: string) => names.get(name) ?? (kept.has(name) ? name : `inner ${name}`);
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(renamed),
    outputs: node.outputs.map(renamed),
  }));
  const same = graph.outputs.map((output) => ({ ...output, name: renamed(output.name) }));
  return { ...model, graph: { ...graph, nodes, outputs: same } };
}

export const plain = (_: unknown, y: string) => y;
export const last = { axis: int(-1) };
