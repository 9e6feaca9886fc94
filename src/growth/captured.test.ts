import { expect, test } from "vitest";
import { type Model, makeModel, type Node } from "../graph/model.ts";
import { float32 } from "../tensor/tensor.ts";
import { findWidths } from "./widths.ts";

const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: Node["attributes"] = {},
): Node => ({
  name: output,
  op,
  domain: "",
  inputs,
  outputs: [output],
  attributes,
});

/** x·w1 → relu → ·w2, and a Loop whose body reads `captured` of the graph around it, if any. */
function withBody(captured: string): Model {
  const weights = (rows: number, columns: number) =>
    float32(
      [rows, columns],
      Array.from({ length: rows * columns }, (_, index) => index % 5),
    );
  const body = {
    name: "body",
    inputs: [],
    outputs: [{ name: "read" }],
    nodes: [node("Identity", [captured], "read")],
    parameters: new Map(),
  };
  return makeModel({
    name: "g",
    inputs: [{ name: "x", dtype: "float32", shape: ["batch", 3] }],
    outputs: [{ name: "y", dtype: "float32", shape: ["batch", 2] }],
    nodes: [
      node("MatMul", ["x", "w1"], "h"),
      node("Relu", ["h"], "r"),
      node("Loop", ["x"], "looped", { body: { kind: "graph", value: body } }),
      node("MatMul", ["r", "w2"], "y"),
    ],
    parameters: new Map([
      ["w1", weights(3, 4)],
      ["w2", weights(4, 2)],
    ]),
  });
}

test.each(["h", "r", "w1", "w2"])(
  "a width does not grow behind the back of a body that reads %s",
  (captured) => {
    const hidden = findWidths(withBody(captured)).find(({ size }) => size === 4);
    expect(hidden?.growable).toBe(false);
    expect(hidden?.reason).toMatch(/Loop/);
  },
);

test("a body that reads something else leaves it alone", () => {
  expect(findWidths(withBody("x")).find(({ size }) => size === 4)?.growable).toBe(true);
});
