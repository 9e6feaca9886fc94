import { describe, it } from "vitest";
import { ints, text } from "../../src/graph/model.ts";
import { int64 } from "../../src/tensor/tensor.ts";

const square = { kernel_shape: ints([3, 3]), strides: ints([2, 2]) };

import { checkGradient, randomTensor } from "./gradient-harness.ts";

describe("gradients of operators in forms that real files have", () => {
  it.each([
    ["an output_shape", { ...square, output_shape: ints([6, 8]) }],
    ["an output_shape that is odd", { ...square, output_shape: ints([7, 7]) }],
    ["auto_pad SAME_UPPER", { ...square, auto_pad: text("SAME_UPPER") }],
    ["auto_pad SAME_LOWER", { ...square, auto_pad: text("SAME_LOWER") }],
    ["both", { ...square, auto_pad: text("SAME_UPPER"), output_shape: ints([6, 7]) }],
  ])("ConvTranspose with %s", async (_, attributes) => {
    await checkGradient({
      op: "ConvTranspose",
      inputs: [randomTensor(1, [2, 2, 3, 4]), randomTensor(2, [2, 3, 3, 3]), randomTensor(3, [3])],
      attributes,
      differentiable: [0, 1, 2],
      spatial: true,
    });
  });

  it("Resize to sizes of two axes", async () => {
    await checkGradient({
      op: "Resize",
      inputs: [randomTensor(4, [1, 2, 3, 4]), undefined, undefined, int64([2], [5, 6])],
      attributes: { mode: text("linear"), axes: ints([2, 3]) },
      differentiable: [0],
      spatial: true,
    });
  });

  it.each([
    ["...i,ij->...j", [2, 3, 4], [4, 5]],
    ["...chw,cd->...dhw", [2, 3, 2, 2], [3, 4]],
    ["...ij,...jk", [2, 3, 4], [2, 4, 2]],
    ["i...,...", [2, 3, 4], [3, 4]],
    ["b...i,...ij->b...j", [2, 3, 4], [3, 4, 2]],
  ])("Einsum %s", async (equation, a, b) => {
    await checkGradient({
      op: "Einsum",
      inputs: [randomTensor(5, a), randomTensor(6, b)],
      attributes: { equation: text(equation) },
      differentiable: [0, 1],
    });
  });
});
