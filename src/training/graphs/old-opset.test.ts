import { describe, expect, it } from "vitest";
import { dataset } from "../../data/dataset.ts";
import { float, int, ints, type Model, makeModel, withParameters } from "../../graph/model.ts";
import { newGraph } from "../../ops/index.ts";
import { Random } from "../../tensor/random.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { adam } from "../optimizers/adam.ts";
import { Trainer } from "../trainer/trainer.ts";
import { verifyModels } from "../verification/verify.ts";

const draws = new Random(9, "old opset");
const normal = (...dims: number[]) =>
  float32(
    dims,
    Array.from({ length: dims.reduce((product, dim) => product * dim, 1) }, () => draws.normal()),
  );

/** Scores [batch, 2] of points [batch, 4], with axes, limits and ratios as attributes, as in opset 9. */
function oldModel(): Model {
  const graph = newGraph();
  graph.input("x", { dtype: "float32", shape: ["batch", 4] });
  graph.parameter("hidden.weight", normal(4, 6));
  graph.parameter("head.weight", normal(6, 2));
  const hidden = graph.emit("MatMul", ["x", "hidden.weight"]);
  const limited = graph.emit("Clip", [hidden], { min: float(0), max: float(6) });
  const dropped = graph.emit("Dropout", [limited], { ratio: float(0.25) });
  const rows = graph.emit("Unsqueeze", [dropped], { axes: ints([1]) });
  const mean = graph.emit("ReduceMean", [rows], { axes: ints([1]), keepdims: int(0) });
  graph.output(graph.emit("MatMul", [mean, "head.weight"]));
  return { ...makeModel(graph.build("old")), irVersion: 4, opsets: new Map([["", 9]]) };
}

describe("a model of opset 9", () => {
  const labels = Int32Array.from({ length: 32 }, (_, index) => index % 2);
  const features = normal(32, 4).data.map((value, at) => value + 2 * (labels[Math.floor(at / 4)] as number));
  const data = dataset({ features, labels, count: 32 });

  it("trains, grows and is saved in opset 9", async () => {
    const trainer = await Trainer.create(oldModel(), {
      optimizer: adam({ learningRate: 0.05 }),
      batchSize: 32,
    });
    const before = (await trainer.evaluate(data)).loss;
    for (let step = 0; step < 20; step++) await trainer.trainStep(data);
    const trained = trainer.model;
    await trainer.widen("hidden", { by: 3 });
    expect((await verifyModels(trained, trainer.model)).preserved).toBe(true);
    for (let step = 0; step < 20; step++) await trainer.trainStep(data);
    expect((await trainer.evaluate(data)).loss).toBeLessThan(before / 2);
    expect(trainer.model.opsets.get("")).toBe(9);
    await trainer.dispose();
  });

  it("has a rounding bound", async () => {
    const model = oldModel();
    const weight = model.graph.parameters.get("head.weight") as Tensor<"float32">;
    const moved = { ...weight, data: weight.data.map((value) => value * (1 + 2 ** -22)) };
    const after = withParameters(model, new Map([...model.graph.parameters, ["head.weight", moved]]));
    expect(await verifyModels(model, after)).toMatchObject({ identical: false, withoutBound: "" });
  });
});
