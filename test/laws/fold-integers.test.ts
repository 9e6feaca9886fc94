import { describe, expect, it } from "vitest";
import { Session } from "../../src/engine/session.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import { type Attributes, int, type Model, makeModel, type Node, text } from "../../src/graph/model.ts";
import { loadModel, widths } from "../../src/index.ts";
import { foldIntegers } from "../../src/ops/rewrites/floats/fold-integers.ts";
import { ownParameters } from "../../src/ops/rewrites/own-parameters.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, int64, makeTensor, type Tensor, toNumbers } from "../../src/tensor/tensor.ts";

const draws = new Random(11, "integers");
const sizeOf = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
const normal = (...dims: number[]) =>
  float32(
    dims,
    Array.from({ length: sizeOf(dims) }, () => draws.normal()),
  );
// Seven bits: on processors without VNNI, ONNX Runtime adds pairs of products in 16 bits, which eight overflow.
const int8 = (...dims: number[]) =>
  makeTensor(
    "int8",
    dims,
    Int8Array.from({ length: sizeOf(dims) }, () => draws.integer(127) - 63),
  );
const scales = (...values: number[]) => float32(values.length === 1 ? [] : [values.length], values);
const zero = (value: number) => makeTensor("int8", [], Int8Array.of(value));

const node = (
  op: string,
  inputs: readonly string[],
  outputs: string | readonly string[],
  attributes: Attributes = {},
  domain = "",
): Node => {
  const made = typeof outputs === "string" ? [outputs] : outputs;
  return { name: `${made[0]}.node`, op, domain, inputs, outputs: made, attributes };
};

function model(
  nodes: readonly Node[],
  parameters: Record<string, Tensor>,
  input: Tensor,
  rank: number,
): Model {
  const made = makeModel({
    name: "quantized",
    inputs: [{ name: "x", dtype: input.dtype, shape: input.dims }],
    outputs: [{ name: "y", dtype: "float32", shape: Array.from({ length: rank }, (_, axis) => `y${axis}`) }],
    nodes,
    parameters: new Map(Object.entries(parameters)),
  });
  return { ...made, opsets: new Map([...made.opsets, ["com.microsoft", 1]]) };
}

async function run(of: Model, x: Tensor): Promise<readonly number[]> {
  const session = await Session.create(encodeModel(of), {});
  try {
    return toNumbers((await session.run({ x }, { y: null })).y as Tensor);
  } finally {
    await session.release();
  }
}

/** The largest change of an output when a model is folded, and the operators that it has then. */
async function folded(of: Model, x: Tensor) {
  const { model: after, tensors, activations } = foldIntegers(of);
  const [a, b] = [await run(of, x), await run(after, x)];
  const moved = Math.max(...a.map((value, at) => Math.abs(value - (b[at] as number))));
  const growable = widths(ownParameters(after)).flatMap((width) => (width.growable ? [width.id] : []));
  return { moved, tensors, activations, growable, ops: after.graph.nodes.map(({ op }) => op) };
}

/** How much rounding x to multiples of `step` may change x · W. */
function bound(weights: Tensor, columns: number, scale: number, step: number): number {
  const sums = new Array<number>(columns).fill(0);
  toNumbers(weights).forEach((value, at) => {
    sums[at % columns] = (sums[at % columns] as number) + Math.abs(value * scale);
  });
  return 0.51 * step * Math.max(...sums);
}

describe("int8 weights folded to float32", () => {
  it.each(["int8-weights", "qdq_weight_only_dense"])("%s computes the same and grows", async (name) => {
    const path = new URL(`../cases/${name}.onnx`, import.meta.url).pathname;
    const before = await loadModel(path);
    const said: number[] = [];
    const after = await loadModel(path, { foldIntegers: ({ tensors }) => said.push(tensors) });
    const x = normal(3, (before.graph.inputs[0]?.shape[1] as number) ?? 1);
    const [a, b] = [await run(before, x), await run(after, x)];
    a.forEach((value, at) => {
      expect(b[at]).toBeCloseTo(value, 5);
    });
    expect(said[0]).toBeGreaterThan(0);
    expect(widths(after).filter(({ growable }) => growable)).toHaveLength(1);
  });

  it("folds a table of integers that is looked up and transposed before it is scaled", async () => {
    const of = model(
      [
        node("Gather", ["table_quantized", "x"], "q"),
        node("Transpose", ["q"], "t", { perm: { kind: "ints", value: [1, 0, 2] } }),
        node("DequantizeLinear", ["t", "s", "z"], "f"),
        node("MatMul", ["f", "w"], "y"),
      ],
      { table_quantized: int8(9, 6), s: scales(0.02), z: zero(3), w: normal(6, 2) },
      int64([2, 3], [0, 8, 4, 1, 1, 7]),
      3,
    );
    const { moved, ...rest } = await folded(of, int64([2, 3], [0, 8, 4, 1, 1, 7]));
    expect(moved).toBe(0);
    expect(rest).toMatchObject({ tensors: 1, activations: 0, growable: ["table"] });
  });

  it("folds products of integers, with one scale per column", async () => {
    const x = normal(4, 6);
    const w = int8(6, 5);
    const range = Math.max(...toNumbers(x), 0) - Math.min(...toNumbers(x), 0);
    const of = model(
      [
        node("DynamicQuantizeLinear", ["x"], ["xq", "xs", "xz"]),
        node("MatMulInteger", ["xq", "w_quantized", "xz", "wz"], "p"),
        node("Cast", ["p"], "c", { to: int(1) }),
        node("Mul", ["xs", "ws"], "s"),
        node("Mul", ["c", "s"], "h"),
        node("MatMul", ["h", "v"], "y"),
      ],
      { w_quantized: w, wz: zero(0), ws: scales(0.01, 0.01, 0.01, 0.01, 0.01), v: normal(5, 2) },
      x,
      2,
    );
    const identity = { ...of, graph: { ...of.graph, nodes: of.graph.nodes.slice(0, -1) } };
    const bare = {
      ...identity,
      graph: {
        ...identity.graph,
        nodes: identity.graph.nodes.map((one) => (one.outputs[0] === "h" ? { ...one, outputs: ["y"] } : one)),
      },
    };
    const { moved, ops } = await folded(bare, x);
    expect(moved).toBeLessThan(bound(w, 5, 0.01, range / 255));
    expect(moved).toBeGreaterThan(0);
    expect(ops).toEqual(["MatMul", "Identity"]);
    expect(await folded(of, x)).toMatchObject({ tensors: 1, activations: 1, growable: ["w"] });
  });

  it("reads ONNX Runtime's dynamically quantized LSTM as an LSTM", async () => {
    const [steps, batch, size, hidden] = [4, 2, 3, 5];
    const x = normal(steps, batch, size);
    const of = model(
      [
        node(
          "DynamicQuantizeLSTM",
          ["x", "w_quantized", "r_quantized", "b", "", "", "", "", "ws", "wz", "rs", "rz"],
          ["all", "h"],
          { hidden_size: int(hidden), direction: text("bidirectional") },
          "com.microsoft",
        ),
        node("MatMul", ["h", "v"], "y"),
      ],
      {
        w_quantized: int8(2, size, 4 * hidden),
        r_quantized: int8(2, hidden, 4 * hidden),
        b: normal(2, 8 * hidden),
        ws: scales(0.01, 0.008),
        wz: makeTensor("int8", [2], Int8Array.of(0, 0)),
        rs: scales(0.006, 0.007),
        rz: makeTensor("int8", [2], Int8Array.of(0, 0)),
        v: normal(hidden, 2),
      },
      x,
      3,
    );
    const { moved, ...rest } = await folded(of, x);
    // Rounding inputs to 8 bits moves gates by hundredths.
    expect(moved).toBeLessThan(0.05);
    expect(rest).toMatchObject({ tensors: 2, activations: 1, ops: ["LSTM", "MatMul"] });
  });

  it("folds integers in and out into the product between them", async () => {
    const x = normal(3, 6);
    const w = int8(6, 4);
    const of = model(
      [
        node("QuantizeLinear", ["x", "xs", "xz"], "xq"),
        node("QLinearMatMul", ["xq", "xs", "xz", "w", "ws", "wz", "ys", "yz"], "yq"),
        node("DequantizeLinear", ["yq", "ys", "yz"], "y"),
      ],
      { xs: scales(0.03), xz: zero(0), w, ws: scales(0.01), wz: zero(0), ys: scales(0.05), yz: zero(0) },
      x,
      2,
    );
    const { moved, ...rest } = await folded(of, x);
    expect(moved).toBeLessThan(bound(w, 4, 0.01, 0.03) + 0.51 * 0.05);
    expect(rest).toMatchObject({ tensors: 1, activations: 2, ops: ["MatMul", "Identity"] });
  });
});
