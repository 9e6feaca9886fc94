import { describe, expect, test } from "vitest";
import type { Model } from "../../src/graph/model.ts";
import { type Attributes, int, makeModel, withParameters } from "../../src/graph/model.ts";
import { grow } from "../../src/growth/grow/grow-model.ts";
import { newGraph } from "../../src/ops/index.ts";
import { fromFloat16, toFloat16 } from "../../src/tensor/float16.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, full, int64, makeTensor, sizeOf } from "../../src/tensor/tensor.ts";
import { verifyModels } from "../../src/training/verification/verify.ts";
import { changed, edited, last, named, network, plain } from "./verify-harness.ts";

describe("the noise of the larger model", () => {
  const paired = (model: Model) => grow(model, [{ width: "hidden", by: 2 }], { strategy: "paired" }).model;
  const pair = (model: Model, weight: number) =>
    changed(model, "head.weight", (data) => {
      data.set([weight, 0, 0, -weight, 0, 0], data.length - 6);
    });

  test("a pair that cancels is exact by rule, and may round wherever the outputs are small", async () => {
    const model = network(plain);
    const silent = changed(
      changed(model, "head.weight", (data) => data.fill(0)),
      "head.bias",
      (data) => data.fill(0),
    );
    for (const before of [model, silent]) {
      const told = await verifyModels(before, pair(paired(before), 1e3));
      expect(told.outcome).toBe(before === model ? "same" : "nothing compared");
      expect(told.byRule).toContain("2 of hidden");
      expect(told.checks.filter(({ beyond }) => beyond > 0)).toEqual([]);
    }
  });

  test("a pair so large that its rounding could hide a wrong weight proves nothing", async () => {
    const model = network(plain);
    const wrong = (by: number) =>
      edited(edited(paired(model), "head.weight", 0, by), "head.bias", 0, 1 + 2 ** -23);
    expect((await verifyModels(model, pair(wrong(1.001), 1))).outcome).toBe("different");
    // A unit that is active for some inputs hides the error only there; one that is always active hides it
    // everywhere.
    const hiding = pair(wrong(1.1), 1e6);
    expect((await verifyModels(model, hiding)).outcome).toBe("different");
    const awake = changed(hiding, "hidden.bias", (data) => data.fill(1e4, data.length - 2));
    const told = await verifyModels(model, awake);
    expect(told.outcome).toBe("nothing compared");
    expect(told.outputs[0]?.reason).toContain("rounding alone decides");
  });
});

describe("shapes", () => {
  test("more rows than before are another output, more classes are not", async () => {
    const model = network(plain);
    expect((await verifyModels(model, grow(model, [{ border: "output", by: 2 }]).model)).outcome).toBe(
      "same",
    );
    const twice = network((emit, y) => emit("Concat", [y, y], { axis: int(0) }));
    expect((await verifyModels(model, named(twice, model))).outcome).toBe("different");
  });
});

describe("wrong in places that few inputs reach", () => {
  const model = network(plain);
  /** Adds the result of `what` for the inputs to every output. */
  const adding = (
    what: (
      emit: (op: string, inputs: readonly string[], attributes?: Attributes) => string,
      x: string,
    ) => string,
    constants: Readonly<Record<string, ReturnType<typeof full>>>,
  ) => network((emit, y) => emit("Add", [y, what(emit, "x")], {}), { constants });
  const rowSum = { weight: full([4, 3], 1) };

  test.each([
    ["above 300", 300, 1],
    ["above 1000", 1000, 1],
    ["below -100", 100, -1],
    ["far below", 2000, -1],
  ] as const)("%s", async (_, offset, sign) => {
    const wrong = adding(
      (emit, x) =>
        emit("MatMul", [emit("Relu", [emit("Sub", [emit("Mul", [x, "sign"]), "offset"])]), "weight"]),
      { ...rowSum, offset: full([], offset), sign: full([], sign) },
    );
    expect((await verifyModels(model, named(wrong, model))).outcome).toBe("different");
  });

  test("in batches of more than five", async () => {
    const wrong = adding(
      (emit, x) => {
        const size = emit("Gather", [emit("Shape", [x]), "first"], { axis: int(0) });
        return emit("Cast", [emit("Greater", [size, "five"])], { to: int(1) });
      },
      { first: int64([], [0]) as never, five: int64([], [5]) as never },
    );
    expect((await verifyModels(model, named(wrong, model))).outcome).toBe("different");
  });

  test("at exactly zero", async () => {
    const wrong = adding(
      (emit, x) => emit("MatMul", [emit("Cast", [emit("Equal", [x, "zero"])], { to: int(1) }), "weight"]),
      { ...rowSum, zero: full([], 0) },
    );
    expect((await verifyModels(model, named(wrong, model))).outcome).toBe("different");
  });

  /** Ids [batch, length] looked up, and vectors of their positions added. */
  const words = () => {
    const graph = newGraph();
    const random = new Random(3, "words");
    const table = (name: string, rows: number) =>
      graph.parameter(
        name,
        float32(
          [rows, 4],
          Float32Array.from({ length: rows * 4 }, () => random.normal()),
        ),
      );
    const ids = graph.input("ids", { dtype: "int64", shape: ["batch", "length"] });
    const found = graph.emit("Gather", [table("words", 2000), ids], { axis: int(0) });
    const size = graph.emit("Slice", [graph.emit("Shape", [ids]), graph.vector([1]), graph.vector([2])]);
    const places = graph.emit("Slice", [table("places", 200), graph.vector([0]), size]);
    graph.output(graph.emit("Add", [found, places], {}, "y"));
    return makeModel(graph.build("words"));
  };

  test.each([
    ["one word of 2,000", "words", 4 * 1234],
    ["position 40 of 200", "places", 4 * 40],
    ["the last position of 200", "places", 4 * 199],
  ] as const)("%s", async (_, table, at) => {
    const before = words();
    expect((await verifyModels(before, words())).outcome).toBe("same");
    expect((await verifyModels(before, edited(before, table, at, 1.5))).outcome).toBe("different");
  });
});

describe("float16", () => {
  const half = (tail: readonly [string, Attributes?]) => {
    const graph = newGraph();
    const random = new Random(4, "half");
    const drawn = (name: string, dims: readonly number[]) =>
      graph.parameter(
        name,
        makeTensor(
          "float16",
          dims,
          Uint16Array.from({ length: sizeOf(dims) }, () => toFloat16(random.normal() / 4)),
        ),
      );
    const x = graph.input("x", { dtype: "float16", shape: ["batch", 8] });
    const hidden = graph.emit("Tanh", [graph.emit("MatMul", [x, drawn("hidden.weight", [8, 16])])]);
    const scores = graph.emit("MatMul", [hidden, drawn("head.weight", [16, 5])]);
    graph.output(graph.emit(tail[0], [scores], tail[1] ?? {}, "y"));
    return makeModel(graph.build("half"));
  };

  test.each([
    ["Identity", {}],
    ["Softmax", last],
    ["Sigmoid", {}],
  ] as const)("behind %s a weight that is a fifth larger is found", async (op, attributes) => {
    const model = half([op, attributes]);
    const grown = grow(model, [{ width: "hidden", times: 2 }]).model;
    expect((await verifyModels(model, grown)).outcome).toBe("same");
    const tensor = model.graph.parameters.get("head.weight") as ReturnType<typeof full>;
    const data = Uint16Array.from(tensor.data);
    data[7] = toFloat16(1.2 * fromFloat16(data[7] as number));
    const wrong = withParameters(
      model,
      new Map([...model.graph.parameters, ["head.weight", { ...tensor, data } as never]]),
    );
    expect((await verifyModels(model, wrong)).outcome).toBe("different");
  });
});
