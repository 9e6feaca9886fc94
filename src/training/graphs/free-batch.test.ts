import { describe, expect, it } from "vitest";
import { dataset } from "../../data/dataset.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Shape } from "../../graph/dim.ts";
import { ints, type Model, makeModel } from "../../graph/model.ts";
import { newGraph } from "../../ops/index.ts";
import { Random } from "../../tensor/random.ts";
import { float32 } from "../../tensor/tensor.ts";
import { Trainer } from "../trainer/trainer.ts";

function model(shape: Shape, body: (graph: GraphBuilder, x: string, batch: number) => string): Model {
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape });
  const flat = body(graph, x, typeof shape[0] === "number" ? shape[0] : -1);
  const draws = new Random(2, "weights");
  const weight = float32(
    [8, 3],
    Array.from({ length: 24 }, () => draws.normal()),
  );
  graph.output(graph.emit("MatMul", [flat, graph.parameter("w", weight)], {}, "y"));
  return makeModel(graph.build("fixed"));
}

const count = 7;
const features = new Random(4, "features");
const data = dataset({
  features: Float32Array.from({ length: count * 8 }, () => features.normal()),
  featureDims: [2, 4],
  labels: [0, 1, 2, 0, 1, 2, 0],
});

describe("a batch size fixed by the file", () => {
  it.each<[string, (graph: GraphBuilder, x: string, batch: number) => string]>([
    ["Flatten", (graph, x) => graph.emit("Flatten", [x])],
    ["Reshape to [batch, 8]", (graph, x, batch) => graph.emit("Reshape", [x, graph.vector([batch, 8])])],
    [
      "Reshape to [batch, -1]",
      (graph, x, batch) => graph.emit("Reshape", [x, graph.vector([batch, batch < 0 ? 8 : -1])]),
    ],
    ["Reshape to [0, -1]", (graph, x) => graph.emit("Reshape", [x, graph.vector([0, -1])])],
    [
      "two Reshapes around a Transpose",
      (graph, x, batch) => {
        const four = graph.emit("Reshape", [x, graph.vector([batch, 2, 2, 2])]);
        const turned = graph.emit("Transpose", [four], { perm: ints([0, 2, 1, 3]) });
        return graph.emit("Reshape", [turned, graph.vector([batch, 8])]);
      },
    ],
  ])("%s: trains and evaluates as with an open one", async (_, body) => {
    const losses: number[][] = [];
    for (const batch of [1, 4, "batch"]) {
      const trainer = await Trainer.create(model([batch, 2, 4], body), { batchSize: 3 });
      const before = (await trainer.evaluate(data, { batchSize: 5 })).loss;
      await trainer.fit(data, { epochs: 2 });
      await trainer.diagnose(data);
      losses.push([before, (await trainer.evaluate(data)).loss]);
      expect(trainer.model.graph.inputs[0]?.shape[0]).toBe(batch);
      await trainer.dispose();
    }
    for (const [before, after] of losses) {
      expect(before).toBeCloseTo(losses[2]?.[0] as number, 5);
      expect(after).toBeCloseTo(losses[2]?.[1] as number, 5);
    }
  });
});
