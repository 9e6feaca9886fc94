import { expect, test } from "vitest";
import { Session } from "../../engine/session.ts";
import { encodeModel } from "../../formats/onnx/index.ts";
import { makeModel } from "../../graph/model.ts";
import { weightsApart } from "../../models/weights-apart.ts";
import { newGraph } from "../../ops/index.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { Noise, noiseOf } from "./noise.ts";

const waves = (dims: readonly number[], step: number) =>
  float32(
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, at) => Math.sin(at * step)),
  );

test.each([20, 9])("weights moved in a graph of opset %i are those moved outside it", async (opset) => {
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 300] });
  const hidden = graph.emit("MatMul", [x, graph.parameter("large", waves([300, 150], 0.7))]);
  const y = graph.emit("MatMul", [
    graph.emit("Tanh", [hidden]),
    graph.parameter("small", waves([150, 3], 1.1)),
  ]);
  graph.output(y);
  const model = { ...makeModel(graph.build("two")), opsets: new Map([["", opset]]) };
  const feeds = { x: waves([4, 300], 0.3) };
  const apart = weightsApart(model, () => true);
  const session = await Session.create(encodeModel(apart.model));
  const outputs = (all: Readonly<Record<string, Tensor>>) => session.run(all, { [y]: null });
  const expected = await outputs({ ...feeds, ...apart.weights });
  const noise = new Noise(model, {});
  try {
    const inside = (await noise.run(feeds, expected)).get(y) as Float64Array;
    const outside = await noiseOf(
      expected[y] as Tensor,
      async (shake) => (await outputs({ ...shake(feeds), ...shake(apart.weights) }))[y] as Tensor,
    );
    expect(inside).toEqual(outside);
    expect(inside.every((one) => one > 0)).toBe(true);
  } finally {
    await Promise.all([noise.release(), session.release()]);
  }
});
