import { expect, test } from "vitest";
import { Session } from "../engine/session.ts";
import { encodeModel } from "../formats/onnx/index.ts";
import { makeModel } from "../graph/model.ts";
import { newGraph } from "../ops/index.ts";
import { float32, full } from "../tensor/tensor.ts";
import { weightsApart, weightsFirst } from "./weights-apart.ts";

/** x [batch, 512] · large [512, 512] · small [512, 2]. */
function chain() {
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 512] });
  const hidden = graph.emit("MatMul", [x, graph.parameter("large", full([512, 512], 0.5))]);
  graph.output(graph.emit("MatMul", [hidden, graph.parameter("small", full([512, 2], 0.25))]));
  return makeModel(graph.build("chain"));
}

test("large parameters become inputs, and the function is the same", async () => {
  const whole = chain();
  const { model, weights } = weightsApart(whole);
  expect(model.graph.inputs.map(({ name }) => name)).toEqual(["x", "large"]);
  expect([...model.graph.parameters.keys()]).toEqual(["small"]);
  expect(weights.large).toBe(whole.graph.parameters.get("large"));
  const [output = ""] = whole.graph.outputs.map(({ name }) => name);
  const x = float32([2, 512], new Float32Array(1024).fill(0.125));
  const sessions = await Promise.all([whole, model].map((one) => Session.create(encodeModel(one))));
  try {
    const [expected, actual] = await Promise.all([
      sessions[0]?.run({ x }, { [output]: null }),
      sessions[1]?.run({ x, ...weights }, { [output]: null }),
    ]);
    expect(actual).toEqual(expected);
  } finally {
    await Promise.all(sessions.map((session) => session.release()));
  }
});

test("one that is listed as an input already (ONNX IR 3) is listed once", () => {
  const { graph, ...rest } = chain();
  const listed = { name: "large", dtype: "float32" as const, shape: [512, 512] };
  const { model } = weightsApart({ ...rest, graph: { ...graph, inputs: [...graph.inputs, listed] } });
  expect(model.graph.inputs.map(({ name }) => name)).toEqual(["x", "large"]);
});

test("what needs only weights is listed first, and the order is otherwise as it was", () => {
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 4] });
  const weight = graph.input("weight", { dtype: "float32", shape: [4, 4] });
  const first = graph.emit("MatMul", [x, weight]);
  const size = graph.emit("Abs", [weight]);
  const twice = graph.emit("Add", [size, size]);
  const last = graph.emit("MatMul", [first, twice]);
  const names = weightsFirst(graph.nodes, new Set([weight])).map(({ outputs }) => outputs[0]);
  expect(names).toEqual([size, twice, first, last]);
});
