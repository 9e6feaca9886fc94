import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { decodeModel, encodeModel } from "../../formats/onnx/index.ts";
import { float, int, type Model, makeModel, withParameters } from "../../graph/model.ts";
import { mlp } from "../../nn/mlp.ts";
import { newGraph } from "../../ops/index.ts";
import { toFloat16 } from "../../tensor/float16.ts";
import { float32, makeTensor, type Tensor } from "../../tensor/tensor.ts";
import { verifyModels } from "../../training/verification/verify.ts";
import { equalUnits } from "../examine/redundant.ts";
import { findWidths, widthOf } from "../find/widths.ts";
import { grow, replay } from "../grow/grow-model.ts";
import { shrink } from "./shrink-model.ts";

const bytes = (model: Model) => Buffer.from(encodeModel(model)).toString("base64");
const base = () => mlp([3, 4, 5, 2]);

/** A float32 model in another type. */
function inFloat16(model: Model): Model {
  const halves = [...model.graph.parameters].map(([name, { dims, data }]): [string, Tensor] => [
    name,
    makeTensor("float16", dims, Uint16Array.from(data as Float32Array, toFloat16)),
  ]);
  const border = (values: Model["graph"]["inputs"]) =>
    values.map((value) => ({ ...value, dtype: "float16" as const }));
  const { graph } = withParameters(model, new Map(halves));
  return { ...model, graph: { ...graph, inputs: border(graph.inputs), outputs: border(graph.outputs) } };
}

describe("shrink", () => {
  test("refuses a word that names no kind of unit, and does not mistake it for another", () => {
    const choice = { remove: "x" } as unknown as { readonly remove: "dead" };
    const wide = grow(base(), [{ width: "hidden1", by: 4 }], { strategy: "halved" }).model;
    expect(() => shrink(wide, [{ width: "hidden1", ...choice }])).toThrow(/dead, identical, redundant/);
  });

  test("merges in every width, each planned in the model as the others left it", () => {
    const growths = [
      { width: "hidden1", by: 4 },
      { width: "hidden2", by: 5 },
    ];
    const wide = grow(base(), growths, { strategy: "halved" }).model;
    const { model, steps, left } = shrink(wide, [{ width: "all", remove: "identical" }]);
    expect(steps.map(({ width, from, to, exactness }) => [width, from, to, exactness])).toEqual([
      ["hidden1", 8, 4, "exact"],
      ["hidden2", 10, 5, "exact"],
    ]);
    expect(left.map(({ width }) => width)).toEqual(["output"]);
    expect(bytes(model)).toBe(bytes(base()));
  });

  test("removes units according to data for the original model", () => {
    const model = base();
    const ones = (dims: readonly number[]) => float32(dims, new Float32Array(dims[0]! * dims[1]!).fill(1));
    const widths = findWidths(model).filter(({ growable }) => growable);
    // Unit 1 of each width is zero on both examples.
    const activations = new Map(
      widths.map(({ reads, size }) => {
        const seen = ones([2, size]);
        for (const row of [0, 1]) seen.data[row * size + 1] = 0;
        return [reads[0]!.value, seen] as const;
      }),
    );
    const evidence = { activations, gradients: new Map(), examples: 2 };
    const { steps, model: small } = shrink(model, [{ width: "all", remove: "dead" }], { evidence });
    expect(steps.map(({ width, gone }) => [width, gone])).toEqual(
      ["hidden1", "hidden2"].map((width) => [
        width,
        [{ unit: 1, exactness: "on the data seen", reason: "zero on all 2 examples seen" }],
      ]),
    );
    expect(small.graph.parameters.get("hidden2.weight")?.dims).toEqual([4, 3]);
    // A unit with a gradient may be inactive now but still learn.
    const learning = { ...evidence, gradients: model.graph.parameters };
    expect(() => shrink(model, [{ width: "hidden1", remove: "dead" }], { evidence: learning })).toThrow(
      /unit 1: zero activation, but it has a gradient/,
    );
  });

  test("adds half-precision weights up as they are, and rounds once", () => {
    const wide = grow(inFloat16(base()), [{ width: "hidden1", by: 4 }], { strategy: "halved" }).model;
    const { model } = shrink(wide, [{ width: "hidden1", remove: "identical" }]);
    expect(bytes(model)).toBe(bytes(inFloat16(base())));
  });

  test("all widths, two of which share units: units removed with the first are already gone for the second", async () => {
    const file = new URL("../../../test/cases/c2f_with_copies.onnx", import.meta.url);
    const model = decodeModel(new Uint8Array(await readFile(file)));
    const small = shrink(model, [{ width: "all", remove: "identical" }]);
    const { steps, left } = small;
    expect(steps.map(({ width, from, to, exactness }) => [width, from, to, exactness])).toEqual([
      ["k1.per_group", 9, 6, "exact"],
    ]);
    expect(left.map(({ width }) => width)).toEqual(["w2", "r1"]);
    expect((await verifyModels(model, small.model)).preserved).toBe(true);
    // The least important units by a score were chosen when the removed ones were still there.
    const least = { width: "all", remove: { least: 1, by: "weightNorm" } } as const;
    expect(shrink(model, [least]).left.at(-1)).toEqual({
      width: "r1",
      reason: "it shares units with a width that has shrunk: shrink once more",
    });
    const named = ["k1.per_group", "r1"].map((width) => ({ width, remove: "identical" }) as const);
    expect(() => shrink(model, named)).toThrow(/shares units/);
  });

  test("a width may be named once", () => {
    const wide = grow(base(), [{ width: "hidden1", by: 4 }], { strategy: "halved" }).model;
    const twice = { width: "hidden1", remove: "identical" } as const;
    expect(() => shrink(wide, [twice, twice])).toThrow(/may be asked for once/);
  });
});

test("only the last channels before LRN can go exactly: others would become neighbors", () => {
  const graph = newGraph();
  const channels = (name: string, dims: readonly number[], dead: readonly number[]) => {
    const [count = 1, ...rest] = dims;
    const inner = rest.reduce((product, size) => product * size, 1);
    const entry = (at: number) => (dead.includes(Math.floor(at / inner)) ? 0 : 1 + (at % 5));
    return graph.parameter(
      name,
      float32(
        dims,
        Float32Array.from({ length: count * inner }, (_, at) => entry(at)),
      ),
    );
  };
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 1, 4, 4] });
  const made = graph.emit("Conv", [x, channels("w", [6, 1, 1, 1], [2, 4, 5])]);
  const normal = graph.emit("LRN", [made], { size: int(3), alpha: float(1) });
  graph.output(graph.emit("Conv", [normal, channels("v", [2, 6, 1, 1], [])], {}, "y"));
  const model = makeModel(graph.build("neighbors"));
  const exactness = (remove: readonly number[]) =>
    shrink(model, [{ width: "w", remove }]).steps[0]?.exactness;
  expect(exactness([4, 5])).toBe("exact");
  expect(() => exactness([2, 4, 5])).toThrow(/aggregates neighboring units/);
});

test("a growth of a model that has shrunk makes no unit equal to an existing one", () => {
  const wide = grow(base(), [{ width: "hidden1", by: 2 }]).model;
  // The fifth unit goes, and the sixth takes its place.
  const small = shrink(wide, [{ width: "hidden1", remove: [4] }]).model;
  const { model, steps } = grow(small, [{ width: "hidden1", by: 1 }]);
  expect(equalUnits(widthOf(findWidths(model), "hidden1"), model.graph.parameters)).toEqual([]);
  expect(steps).toMatchObject([{ from: 5, to: 6, born: 11 }]);
  expect(bytes(replay(small, JSON.parse(JSON.stringify(steps))))).toBe(bytes(model));
  for (const born of [4, 5.5, "11", null]) {
    const forged = steps.map((step) => ({ ...step, born })) as unknown as typeof steps;
    expect(() => replay(small, forged)).toThrow();
  }
});
