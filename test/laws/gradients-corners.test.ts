import { describe, expect, it } from "vitest";
import { Session } from "../../src/engine/session.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import { type Attributes, float, int, makeModel, text } from "../../src/graph/model.ts";
import { newGraph } from "../../src/ops/index.ts";
import { float32, int64, type Tensor } from "../../src/tensor/tensor.ts";
import { differentiate } from "../../src/training/graphs/differentiate.ts";

/** Gradients of the sum of the output; the expected numbers of this file are PyTorch 2.13's. */
async function gradientsOf(
  op: string,
  inputs: readonly Tensor[],
  attributes: Attributes = {},
): Promise<number[][]> {
  const graph = newGraph();
  const feeds: Record<string, Tensor> = {};
  const names = inputs.map((tensor, index) => {
    if (tensor.dtype === "int64") return graph.parameter(`x${index}`, tensor);
    feeds[`x${index}`] = tensor;
    return graph.input(`x${index}`, { dtype: tensor.dtype, shape: tensor.dims });
  });
  const y = graph.emit(op, names, attributes);
  const loss = graph.emit("ReduceSum", [y], { keepdims: int(0) });
  const wanted = differentiate(graph, loss, Object.keys(feeds));
  const outputs = Object.keys(feeds).map((name) => graph.emit("Identity", [wanted.get(name) as string]));
  for (const name of outputs) graph.output(name);
  const session = await Session.create(encodeModel(makeModel(graph.build("corners"))));
  const results = await session.run(feeds, Object.fromEntries(outputs.map((name) => [name, null])));
  await session.release();
  return outputs.map((name) => Array.from((results[name] as Tensor).data as Float32Array));
}

const vector = (...values: number[]) => float32([values.length], values);
const scalar = (value: number) => float32([], [value]);

const exact: readonly [string, string, Tensor[], Attributes, number[][]][] = [
  ["|x| at 0", "Abs", [vector(-1, 0, 2)], {}, [[-1, 0, 1]]],
  ["Relu at 0", "Relu", [vector(-1, 0, 2)], {}, [[0, 0, 1]]],
  ["LeakyRelu at 0", "LeakyRelu", [vector(-1, 0, 2)], { alpha: float(0.25) }, [[0.25, 0.25, 1]]],
  ["Elu at 0", "Elu", [vector(0, 2)], { alpha: float(0.5) }, [[0.5, 1]]],
  ["HardSwish at its corners", "HardSwish", [vector(-3, -4, 0, 3, 4)], {}, [[0, 0, 0.5, 1, 1]]],
  [
    "Clip at its limits",
    "Clip",
    [vector(-2, -1, 0, 1, 2), scalar(-1), scalar(1)],
    {},
    [[0, 1, 1, 1, 0], [1], [1]],
  ],
  [
    "Clip with crossed limits",
    "Clip",
    [vector(-2, 0.7, 0, 1, 2), scalar(0.9), scalar(0.5)],
    {},
    [[0, 0, 0, 0, 0], [0], [5]],
  ],
  [
    "Max at a tie",
    "Max",
    [vector(1, 2, 3), vector(1, 3, 2)],
    {},
    [
      [0.5, 0, 1],
      [0.5, 1, 0],
    ],
  ],
  [
    "Min at a tie",
    "Min",
    [vector(1, 2, 3), vector(1, 3, 2)],
    {},
    [
      [0.5, 1, 0],
      [0.5, 0, 1],
    ],
  ],
  [
    "x⁰ at 0",
    "Pow",
    [vector(0, 2), vector(0, 0)],
    {},
    [
      [0, 0],
      [0, Math.fround(Math.log(2))],
    ],
  ],
  [
    "x^e at 0",
    "Pow",
    [vector(0, 0, 2), vector(0, 2, 3)],
    {},
    [
      [0, 0, 12],
      [0, 0, Math.fround(8 * Math.log(2))],
    ],
  ],
  [
    "Gather of duplicates",
    "Gather",
    [float32([3, 2], [1, 2, 3, 4, 5, 6]), int64([3], [0, 0, -1])],
    {},
    [[2, 2, 0, 0, 1, 1]],
  ],
];

const close: readonly [string, string, Tensor[], Attributes, number[]][] = [
  [
    "ReduceMax at ties",
    "ReduceMax",
    [float32([2, 3], [1, 3, 3, 2, 2, 2]), int64([1], [1])],
    {},
    [0, 0.5, 0.5, 1 / 3, 1 / 3, 1 / 3],
  ],
  ["HardSigmoid at its corners", "HardSigmoid", [vector(-3, 0, 3)], { alpha: float(1 / 6) }, [0, 1 / 6, 0]],
  ["Gelu", "Gelu", [vector(-1, 0.5, 2)], {}, [-0.08331543207168579, 0.867495059967041, 1.085231900215149]],
  [
    "Gelu by tanh",
    "Gelu",
    [vector(-1, 0.5, 2)],
    { approximate: text("tanh") },
    [-0.08296409249305725, 0.8673698902130127, 1.0860992670059204],
  ],
  ["Softplus far out", "Softplus", [vector(-30, 0, 30)], {}, [0, 0.5, 1]],
];

describe("derivatives that are a matter of convention follow PyTorch's", () => {
  it.each(exact)("%s", async (_, op, inputs, attributes, expected) => {
    expect(await gradientsOf(op, inputs, attributes)).toEqual(expected);
  });

  it.each(close)("%s", async (_, op, inputs, attributes, expected) => {
    const [gradient] = await gradientsOf(op, inputs, attributes);
    expected.forEach((value, at) => {
      expect(gradient?.[at]).toBeCloseTo(value, 6);
    });
  });
});
