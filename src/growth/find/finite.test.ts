import { describe, expect, test } from "vitest";
import type { GraphBuilder } from "../../graph/builder.ts";
import { int, makeModel } from "../../graph/model.ts";
import { newGraph } from "../../ops/index.ts";
import { float32, full } from "../../tensor/tensor.ts";
import { ioWidths } from "./io-widths.ts";
import { findWidths } from "./widths.ts";

type Piece = (graph: GraphBuilder, x: string) => string;

/** MatMul, a piece over its four units, MatMul. */
const modelOf = (piece: Piece) => {
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 5] });
  const hidden = graph.emit("MatMul", [x, graph.parameter("hidden.weight", full([5, 4], 0.5))]);
  const out = graph.emit("MatMul", [piece(graph, hidden), graph.parameter("out.weight", full([4, 3], 0.5))]);
  graph.output(out);
  return makeModel(graph.build("model"));
};
const methodOf = (piece: Piece) => {
  const hidden = findWidths(modelOf(piece)).find(({ id }) => id === "hidden");
  return hidden?.growable ? hidden.method : `refused: ${hidden?.reason}`;
};

const number = (graph: GraphBuilder, value: number) => graph.scalar(value);
const unary =
  (...ops: readonly string[]): Piece =>
  (graph, x) =>
    ops.reduce((value, op) => graph.emit(op, [value]), x);
const square: Piece = (graph, x) => graph.emit("Mul", [x, x]);
const plus =
  (value: number): Piece =>
  (graph, x) =>
    graph.emit("Add", [x, number(graph, value)]);
const power =
  (exponent: number): Piece =>
  (graph, x) =>
    graph.emit("Pow", [x, number(graph, exponent)]);
const chain =
  (...pieces: readonly Piece[]): Piece =>
  (graph, x) =>
    pieces.reduce((value, piece) => piece(graph, value), x);
const divideBy =
  (of: Piece): Piece =>
  (graph, x) =>
    graph.emit("Div", [x, of(graph, x)]);

describe("widths that new units could make infinite or NaN grow by copies", () => {
  const pieces: Readonly<Record<string, Piece>> = {
    "ln x": unary("Log"),
    "√x": unary("Sqrt"),
    "1 / x": unary("Reciprocal"),
    "1 / x as a quotient": (graph, x) => graph.emit("Div", [number(graph, 1), x]),
    eˣ: unary("Exp"),
    "x^0.5": power(0.5),
    "x^-1": power(-1),
    "x^-2, which is positive but not finite at 0": power(-2),
    "2^x": (graph, x) => graph.emit("Pow", [number(graph, 2), x]),
    "ln(ReLU(x)), -∞ at 0": unary("Relu", "Log"),
    "ln(sigmoid(x)), which underflows": unary("Sigmoid", "Log"),
    "softplus written out, which overflows": chain(unary("Exp"), plus(1), unary("Log")),
    "x / |x|": divideBy(unary("Abs")),
    "x mod x": (graph, x) => graph.emit("Mod", [number(graph, 5), x], { fmod: int(1) }),
    "√(x² - 1)": chain(square, plus(-1), unary("Sqrt")),
    "zero gates times ln x": (graph, x) => graph.emit("Mul", [x, graph.emit("Log", [x])]),
    "tanh written out: ∞ / ∞": (graph, x) => {
      const [up, down] = [graph.emit("Exp", [x]), graph.emit("Exp", [graph.emit("Neg", [x])])];
      return graph.emit("Div", [graph.emit("Sub", [up, down]), graph.emit("Add", [up, down])]);
    },
  };
  for (const [name, piece] of Object.entries(pieces)) {
    test(name, () => {
      expect(methodOf(piece)).toBe("copies");
    });
  }
});

describe("widths that stay finite for any new units grow by zero outgoing weights", () => {
  const pieces: Readonly<Record<string, Piece>> = {
    "√(x² + ε)": chain(square, plus(1e-6), unary("Sqrt")),
    "√(pow(x, 2))": chain(power(2), unary("Sqrt")),
    "√(x·x)": chain(square, unary("Sqrt")),
    "√|x|": unary("Abs", "Sqrt"),
    "√ReLU(x)": unary("Relu", "Sqrt"),
    "ln(1 + softplus(x))": chain(unary("Softplus"), plus(1), unary("Log")),
    "ln(1 + x²)": chain(square, plus(1), unary("Log")),
    "ln(max(x, ε))": chain((graph, x) => graph.emit("Max", [x, number(graph, 1e-6)]), unary("Log")),
    "ln(clip(x, ε))": chain((graph, x) => graph.emit("Clip", [x, number(graph, 1e-6)]), unary("Log")),
    "√(1 + ELU(x))": chain(unary("Elu"), plus(1), unary("Sqrt")),
    "x / (|x| + 1)": divideBy(chain(unary("Abs"), plus(1))),
    "x / √(x² + ε)": divideBy(chain(square, plus(1e-6), unary("Sqrt"))),
    "x³": power(3),
    "x^-2 of 1 + |x|": chain(unary("Abs"), plus(1), power(-2)),
    "exp(-x²)": chain(square, unary("Neg", "Exp")),
    "exp(tanh x)": unary("Tanh", "Exp"),
    "exp(min(x, 20))": chain((graph, x) => graph.emit("Min", [x, number(graph, 20)]), unary("Exp")),
    "sigmoid written out": chain(unary("Neg", "Exp"), plus(1), unary("Reciprocal")),
    "SiLU written out": divideBy(chain(unary("Neg", "Exp"), plus(1))),
    "Mish written out": (graph, x) =>
      graph.emit("Mul", [x, chain(unary("Exp"), plus(1), unary("Log", "Tanh"))(graph, x)]),
    "GELU written out": (graph, x) => {
      const erf = graph.emit("Erf", [graph.emit("Div", [x, number(graph, Math.SQRT2)])]);
      return graph.emit("Mul", [graph.emit("Mul", [x, plus(1)(graph, erf)]), number(graph, 0.5)]);
    },
    "divided by what old units were divided by": (graph, x) =>
      graph.emit("Div", [x, graph.emit("ReduceL2", ["x", graph.vector([1])], { keepdims: int(1) })]),
    "divided by the lengths of its own weights": (graph, x) => {
      const length = graph.emit("ReduceL2", ["hidden.weight", graph.vector([0])], { keepdims: int(1) });
      return graph.emit("Div", [x, length]);
    },
    "BatchNorm written out": (graph, x) => {
      const variance = graph.parameter("variance", float32([4], [1, 2, 3, 4]));
      return graph.emit("Div", [x, chain(plus(1e-5), unary("Sqrt"))(graph, variance)]);
    },
  };
  for (const [name, piece] of Object.entries(pieces)) {
    test(name, () => {
      expect(methodOf(piece)).toBe("zero outgoing");
    });
  }
});

describe("heads of a softmax written out as nodes", () => {
  /** [batch, 4 heads, 6 positions] from 24 channels; weights over the positions, times values, read by the output. */
  const attention = (maximum: (graph: GraphBuilder, scores: string) => string) => {
    const graph = newGraph();
    const x = graph.input("x", { dtype: "float32", shape: ["batch", 6, 5] });
    const scores = graph.emit("MatMul", [x, graph.parameter("scores.weight", full([5, 4], 0.5))]);
    const shifted = graph.emit("Sub", [scores, maximum(graph, scores)]);
    const each = graph.emit("Exp", [shifted]);
    const sum = graph.emit("ReduceSum", [each, graph.vector([1])], { keepdims: int(1) });
    const weights = graph.emit("Div", [each, sum]);
    graph.output(graph.emit("MatMul", [weights, graph.parameter("out.weight", full([4, 3], 0.5))]));
    return findWidths(makeModel(graph.build("model")))[0]?.method;
  };
  const over = (graph: GraphBuilder, of: string, keepdims: number, axis = 1) =>
    graph.emit("ReduceMax", [of, graph.vector([axis])], { keepdims: int(keepdims) });

  test("after subtracting the maximum, no exponential exceeds 1, and their sum is at least 1", () => {
    expect(attention((graph, scores) => over(graph, scores, 1))).toBe("zero outgoing");
    const reshaped = (graph: GraphBuilder, scores: string) =>
      graph.emit("Unsqueeze", [over(graph, scores, 0), graph.vector([1])]);
    expect(attention(reshaped)).toBe("zero outgoing");
    const stretched = (graph: GraphBuilder, scores: string) =>
      graph.emit("Expand", [over(graph, scores, 1), graph.emit("Shape", [scores])]);
    expect(attention(stretched)).toBe("zero outgoing");
  });

  test("after subtracting nothing, or another maximum, they may overflow", () => {
    expect(attention((graph) => graph.scalar(0))).toBe("copies");
    expect(attention((graph, scores) => over(graph, graph.emit("Tanh", [scores]), 1))).toBe("copies");
  });
});

test("new input features are refused if they could become NaN before they meet zeros", () => {
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 6] });
  const log = graph.emit("Log", [x]);
  graph.output(graph.emit("MatMul", [log, graph.parameter("weight", full([6, 3], 0.5))]));
  const [features] = ioWidths(makeModel(graph.build("model")), "input").filter(({ size }) => size === 6);
  expect(features?.growable).toBe(false);
  expect(features?.reason).toMatch(/^Log .* may not be finite for new units, and zero times NaN/);
});

test("a square root of zeros has no finite slope: zero padding does not go through it", () => {
  const hidden = findWidths(modelOf(unary("Sqrt"))).find(({ id }) => id === "hidden");
  expect(hidden?.zeroIncoming()).not.toBe("");
});
