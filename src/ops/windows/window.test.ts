import { describe, expect, it } from "vitest";
import { type Attributes, ints, text } from "../../graph/model.ts";
import { newGraph } from "../index.ts";

function shapeOf(op: "Conv" | "MaxPool" | "AveragePool", attributes: Attributes) {
  const graph = newGraph();
  const inputs = [graph.input("x", { dtype: "float32", shape: ["batch", 2, 7, 7] })];
  if (op === "Conv") inputs.push(graph.input("w", { dtype: "float32", shape: [3, 2, 2, 2] }));
  return graph.typeOf(graph.emit(op, inputs, { kernel_shape: ints([2, 2]), ...attributes })).shape;
}

describe("auto_pad that ONNX Runtime computes differently is refused", () => {
  const same = { auto_pad: text("SAME_UPPER") };

  it.each(["Conv", "MaxPool", "AveragePool"] as const)("%s with a dilation", (op) => {
    expect(() => shapeOf(op, { ...same, dilations: ints([1, 2]) })).toThrow(
      /does not support dilations.*pads/s,
    );
    expect(shapeOf(op, { auto_pad: text("VALID"), dilations: ints([1, 2]) })).toEqual([
      "batch",
      op === "Conv" ? 3 : 2,
      6,
      5,
    ]);
  });

  it.each(["MaxPool", "AveragePool"] as const)("%s that skips elements", (op) => {
    expect(() => shapeOf(op, { ...same, strides: ints([1, 3]) })).toThrow(/no larger than the window.*pads/s);
    expect(shapeOf(op, { ...same, strides: ints([2, 2]) })).toEqual(["batch", 2, 4, 4]);
  });

  it("not Conv that skips elements", () => {
    expect(shapeOf("Conv", { ...same, strides: ints([1, 3]) })).toEqual(["batch", 3, 7, 3]);
  });
});
