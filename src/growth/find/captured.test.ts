import { expect, test } from "vitest";
import { type Model, makeModel, type Node } from "../../graph/model.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
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

test("a width made only by a body's weights is found, and refused with the body's node", () => {
  const weights = (rows: number, columns: number) =>
    float32([rows, columns], new Array(rows * columns).fill(1));
  const branch = (op: string, attributes: Node["attributes"] = {}) => ({
    kind: "graph" as const,
    value: {
      name: op,
      inputs: [],
      outputs: [{ name: "out" }],
      nodes: [node("MatMul", ["x", "w1"], "product"), node(op, ["product"], "out", attributes)],
      parameters: new Map(),
    },
  });
  const model = makeModel({
    name: "g",
    inputs: [
      { name: "x", dtype: "float32", shape: ["batch", 3] },
      { name: "which", dtype: "bool", shape: [] },
    ],
    outputs: [{ name: "y", dtype: "float32", shape: ["batch", 2] }],
    nodes: [
      node("If", ["which"], "h", { then_branch: branch("Relu"), else_branch: branch("Tanh") }),
      node("MatMul", ["h", "w2"], "y"),
    ],
    parameters: new Map([
      ["w1", weights(3, 4)],
      ["w2", weights(4, 2)],
    ]),
  });
  const [width, ...others] = findWidths(model);
  expect(width).toMatchObject({ id: "w1", size: 4, growable: false });
  expect(width?.reason).toMatch(/^If "h"/);
  // Both branches give h a type, so the width after it is found too.
  expect(others).toMatchObject([{ id: "w2", size: 2, reason: 'it reaches the output "y"' }]);
});

test.each(["ReduceMax", "ReduceMean", "ReduceSum"])(
  "a width that ends in %s is refused with its name",
  (op) => {
    const axes = { dtype: "int64" as const, dims: [1], data: BigInt64Array.of(-1n) };
    const model = makeModel({
      name: "g",
      inputs: [{ name: "x", dtype: "float32", shape: ["batch", 3] }],
      outputs: [{ name: "y", dtype: "float32", shape: ["batch", 1] }],
      nodes: [node("MatMul", ["x", "w1"], "h"), node(op, ["h", "axes"], "y")],
      parameters: new Map<string, Tensor>([
        ["w1", float32([3, 4], new Array(12).fill(1))],
        ["axes", axes],
      ]),
    });
    const [width] = findWidths(model);
    expect(width).toMatchObject({ size: 4, growable: false });
    expect(width?.reason).toMatch(new RegExp(`^${op} "y"`));
  },
);

test("a body that reads something else leaves it alone", () => {
  expect(findWidths(withBody("x")).find(({ size }) => size === 4)?.growable).toBe(true);
});
