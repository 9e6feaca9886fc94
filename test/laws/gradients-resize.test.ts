import { describe, expect, it } from "vitest";
import { Session } from "../../src/engine/session.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import { type Attributes, float, int, ints, makeModel, text } from "../../src/graph/model.ts";
import { newGraph } from "../../src/ops/index.ts";
import { float32, int64 } from "../../src/tensor/tensor.ts";
import { differentiate } from "../../src/training/graphs/differentiate.ts";
import { checkGradient, randomTensor } from "./gradient-harness.ts";

const way = (mode: string, coordinates: string, nearest = "round_prefer_floor"): Attributes => ({
  mode: text(mode),
  coordinate_transformation_mode: text(coordinates),
  nearest_mode: text(nearest),
  cubic_coeff_a: float(-0.75),
});

describe("the gradient of Resize", () => {
  it.each([
    ["bilinear", [1, 2, 5, 4], [1, 2, 3, 7], way("linear", "half_pixel")],
    ["bilinear, with corners aligned", [2, 1, 3, 4], [2, 1, 5, 6], way("linear", "align_corners")],
    ["bicubic", [1, 1, 4, 4], [1, 1, 7, 6], way("cubic", "pytorch_half_pixel")],
    ["nearest, in uneven runs", [1, 2, 3, 4], [1, 2, 5, 6], way("nearest", "asymmetric", "floor")],
    ["nearest, by half a pixel", [1, 2, 4, 6], [1, 2, 2, 3], way("nearest", "half_pixel")],
  ])("%s, agrees with differences", async (_, dims, sizes, attributes) => {
    await checkGradient({
      op: "Resize",
      inputs: [randomTensor(7, dims), undefined, undefined, int64([4], sizes)],
      attributes,
      differentiable: [0],
      spatial: true,
    });
  });

  it.each([
    ["bilinear", [1, 1, 3, 1.4], way("linear", "half_pixel")],
    ["bilinear, along two axes", [3, 1.4], { ...way("linear", "half_pixel"), axes: ints([2, 3]) }],
    ["bicubic", [1, 1, 1.5, 2], way("cubic", "half_pixel")],
    ["nearest", [1, 1, 1.5, 0.5], way("nearest", "half_pixel")],
  ])("%s by scales, is its adjoint: (Rx, y) = (x, R*y)", async (_, scales, attributes) => {
    const x = randomTensor(1, [2, 2, 5, 4]);
    const graph = newGraph();
    graph.input("x", { dtype: "float32", shape: ["batch", 2, 5, 4] });
    graph.parameter("scales", float32([scales.length], scales));
    const resized = graph.emit("Resize", ["x", "", "scales"], attributes);
    const y = graph.parameter(
      "y",
      randomTensor(2, [2, ...(graph.typeOf(resized).shape.slice(1) as number[])]),
    );
    const sum = (a: string, b: string) =>
      graph.emit("ReduceSum", [graph.emit("Mul", [a, b])], { keepdims: int(0) });
    const loss = sum(resized, y);
    const gradient = differentiate(graph, loss, ["x"]).get("x") as string;
    const other = sum("x", gradient);
    for (const name of [loss, other]) graph.output(name);
    const session = await Session.create(encodeModel(makeModel(graph.build("adjoint"))));
    const results = await session.run({ x }, { [loss]: null, [other]: null });
    const [left, right] = [loss, other].map((name) => results[name]?.data[0] as number) as [number, number];
    // Sums of about 100 terms below 4.
    expect(Math.abs(left - right)).toBeLessThan(100 * 4 * 100 * 2 ** -24);
    expect(Math.abs(left)).toBeGreaterThan(0.1);
    await session.release();
  });
});
