import { describe, expect, it } from "vitest";
import { float, int, ints } from "../../graph/model.ts";
import { int64, zeros } from "../../tensor/tensor.ts";
import { newGraph } from "../index.ts";

describe("sizes are tracked through the operators that compute with them", () => {
  const start = () => {
    const graph = newGraph();
    graph.input("x", { dtype: "float32", shape: ["batch", "hidden", 7] });
    return graph;
  };

  it("from Shape through Gather, Unsqueeze and Concat into Reshape", () => {
    const graph = start();
    const first = graph.emit("Gather", [graph.emit("Shape", ["x"]), graph.parameter("zero", int64([], [0]))]);
    const target = graph.emit(
      "Concat",
      [graph.emit("Unsqueeze", [first, graph.vector([0])]), graph.vector([-1])],
      {
        axis: int(0),
      },
    );
    expect(graph.typeOf(graph.emit("Reshape", ["x", target])).shape).toEqual(["batch", "7*hidden"]);
  });

  it("through arithmetic and Slice into Pad and Expand", () => {
    const graph = start();
    const sizes = graph.emit("Slice", [graph.emit("Shape", ["x"]), graph.vector([1]), graph.vector([3])]);
    const twice = graph.emit("Mul", [sizes, graph.vector([2])]);
    expect(graph.typeOf(twice).value).toEqual(["2*hidden", 14]);
    expect(graph.typeOf(graph.emit("Sub", [twice, sizes])).value).toEqual(["hidden", 7]);
    expect(graph.typeOf(graph.emit("Expand", [graph.scalar(1), twice])).shape).toEqual(["2*hidden", 14]);
  });

  it("through real numbers, if they are ratios and whole multiples", () => {
    const graph = start();
    const real = graph.emit("Cast", [graph.emit("Shape", ["x"])], { to: int(1) });
    expect(graph.typeOf(real).value).toEqual(["batch", "hidden", 7]);
    expect(graph.typeOf(graph.emit("Div", [real, real])).value).toEqual([1, 1, 1]);
    expect(graph.typeOf(graph.emit("Mul", [real, graph.scalar(2)])).value).toEqual([
      "2*batch",
      "2*hidden",
      14,
    ]);
    expect(graph.typeOf(graph.emit("Mul", [real, graph.scalar(1.5)])).value).toBeUndefined();
    expect(graph.typeOf(graph.emit("Sqrt", [real])).value).toBeUndefined();
  });

  it("and a size that no rule can infer gets a new symbol", () => {
    const graph = start();
    const target = graph.input("target", { dtype: "int64", shape: [2] });
    const shape = graph.typeOf(graph.emit("Reshape", ["x", target], {}, "folded")).shape;
    expect(shape).toEqual(["unknown.folded_0.0", "unknown.folded_0.1"]);
  });
});

describe("attributes of older opsets that became inputs", () => {
  const shapeOf = (op: string, attributes: Parameters<ReturnType<typeof newGraph>["emit"]>[2]) => {
    const graph = newGraph();
    const x = graph.parameter("x", zeros("float32", [1, 4, 6]));
    return graph.typeOf(graph.emit(op, [x], attributes)).shape;
  };

  it.each([
    ["Squeeze", { axes: ints([0]) }, [4, 6]],
    ["Unsqueeze", { axes: ints([0, -1]) }, [1, 1, 4, 6, 1]],
    ["ReduceMean", { axes: ints([-1]), keepdims: int(0) }, [1, 4]],
    ["Slice", { axes: ints([2]), starts: ints([1]), ends: ints([-1]) }, [1, 4, 4]],
    ["Pad", { pads: ints([0, 1, 0, 0, 0, 2]), value: float(0) }, [1, 5, 8]],
    ["Split", { axis: int(2), split: ints([6]) }, [1, 4, 6]],
    ["Clip", { min: float(0), max: float(6) }, [1, 4, 6]],
  ] as const)("%s", (op, attributes, expected) => {
    expect(shapeOf(op, attributes)).toEqual(expected);
  });
});

describe("calls that do not fit are refused with the node, the rule and the value received", () => {
  it.each([
    ["MatMul", [zeros("float32", [2, 3]), zeros("float32", [4, 5])], {}, /agree on the axis/],
    ["Add", [zeros("float32", [2, 3]), zeros("float32", [4])], {}, /must broadcast/],
    ["Reshape", [zeros("float32", [2, 3]), int64([1], [5])], {}, /must have 6 elements/],
    ["Reshape", [zeros("float32", [2, 3]), int64([2], [-1, 4])], {}, /must divide the number of elements/],
    ["Transpose", [zeros("float32", [2, 3])], { perm: ints([0, 0]) }, /must be a permutation/],
    ["Squeeze", [zeros("float32", [2, 3]), int64([1], [0])], {}, /axis 0 must have size 1/],
    ["Split", [zeros("float32", [4]), int64([1], [3])], {}, /must add up to 4/],
    ["ReduceSum", [zeros("float32", [4]), int64([1], [1])], {}, /axis must be from/],
    ["Cast", [zeros("float32", [4])], { to: int(14) }, /element type that espalier supports/],
  ] as const)("%s", (op, inputs, attributes, message) => {
    const graph = newGraph();
    const names = inputs.map((tensor, index) => graph.parameter(`x${index}`, tensor));
    expect(() => graph.emit(op, names, attributes)).toThrow(message);
  });
});
