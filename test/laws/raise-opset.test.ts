import { describe, expect, it } from "vitest";
import { Session } from "../../src/engine/session.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import {
  type Attributes,
  defaultOpset,
  float,
  int,
  ints,
  type Model,
  makeModel,
  type Node,
  text,
} from "../../src/graph/model.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { newGraph } from "../../src/ops/index.ts";
import { inferTypes } from "../../src/ops/infer.ts";
import { upgradeOpset } from "../../src/ops/rewrites/upgrade.ts";
import { float32, int64, type Tensor } from "../../src/tensor/tensor.ts";
import { randomTensor } from "./gradient-harness.ts";

/** A call as an older opset writes it; inputs after the first are parameters. */
interface OldCall {
  readonly op: string;
  /** The oldest and the newest opset that write it this way. */
  readonly from: number;
  readonly to: number;
  readonly dims: readonly number[];
  readonly more?: readonly Tensor[];
  readonly attributes?: Attributes;
  readonly outputs?: number;
}

const calls: readonly OldCall[] = [
  { op: "Squeeze", from: 7, to: 12, dims: [1, 3, 1, 2], attributes: { axes: ints([0]) } },
  { op: "Squeeze", from: 7, to: 19, dims: [1, 3, 1, 2] },
  { op: "Unsqueeze", from: 7, to: 12, dims: [3, 2], attributes: { axes: ints([0, 3]) } },
  { op: "ReduceSum", from: 7, to: 12, dims: [2, 3, 4], attributes: { axes: ints([1]), keepdims: int(0) } },
  { op: "ReduceSum", from: 7, to: 19, dims: [2, 3, 4] },
  { op: "ReduceSum", from: 13, to: 19, dims: [2, 3, 4], more: [int64([1], [1])] },
  { op: "ReduceMean", from: 7, to: 17, dims: [2, 3, 4], attributes: { axes: ints([0, 2]) } },
  { op: "ReduceMax", from: 7, to: 17, dims: [2, 3, 4], attributes: { axes: ints([2]), keepdims: int(0) } },
  { op: "ReduceMin", from: 7, to: 17, dims: [2, 3, 4], attributes: { axes: ints([0]) } },
  { op: "ReduceProd", from: 7, to: 17, dims: [2, 3, 4], attributes: { axes: ints([1]) } },
  { op: "Slice", from: 7, to: 9, dims: [4, 5], attributes: { starts: ints([1]), ends: ints([3]) } },
  {
    op: "Slice",
    from: 7,
    to: 9,
    dims: [4, 5],
    attributes: { starts: ints([-3]), ends: ints([2 ** 31]), axes: ints([1]) },
  },
  { op: "Clip", from: 7, to: 10, dims: [3, 4], attributes: { min: float(-0.5), max: float(0.25) } },
  { op: "Clip", from: 7, to: 10, dims: [3, 4], attributes: { max: float(0.25) } },
  { op: "Clip", from: 7, to: 19, dims: [3, 4] },
  { op: "Dropout", from: 7, to: 11, dims: [3, 4], attributes: { ratio: float(0.3) } },
  { op: "Softmax", from: 7, to: 12, dims: [2, 3, 4] },
  { op: "Softmax", from: 7, to: 12, dims: [2, 3, 4], attributes: { axis: int(2) } },
  { op: "Softmax", from: 7, to: 12, dims: [2, 3, 1] },
  { op: "Softmax", from: 13, to: 19, dims: [2, 3, 4] },
  { op: "Softmax", from: 13, to: 19, dims: [2, 3, 4], attributes: { axis: int(1) } },
  { op: "LogSoftmax", from: 11, to: 12, dims: [2, 3, 2, 2], attributes: { axis: int(-3) } },
  {
    op: "BatchNormalization",
    from: 7,
    to: 8,
    dims: [2, 3, 4],
    more: [1, 2, 3].map((seed) => randomTensor(seed, [3])).concat(float32([3], [0.5, 1, 2])),
    attributes: { spatial: int(1), epsilon: float(0.01) },
  },
  {
    op: "BatchNormalization",
    from: 9,
    to: 19,
    dims: [2, 3, 4],
    more: [1, 2, 3].map((seed) => randomTensor(seed, [3])).concat(float32([3], [0.5, 1, 2])),
  },
  {
    op: "Pad",
    from: 7,
    to: 10,
    dims: [2, 3],
    attributes: { pads: ints([0, 1, 2, 0]), value: float(0.5), mode: text("constant") },
  },
  {
    op: "Pad",
    from: 7,
    to: 10,
    dims: [2, 3],
    attributes: { pads: ints([0, 1, 0, 1]), mode: text("reflect") },
  },
  {
    op: "Split",
    from: 7,
    to: 12,
    dims: [2, 6],
    attributes: { axis: int(1), split: ints([1, 5]) },
    outputs: 2,
  },
  { op: "Split", from: 7, to: 17, dims: [2, 6], attributes: { axis: int(1) }, outputs: 3 },
  { op: "Split", from: 13, to: 19, dims: [4, 6], more: [int64([2], [1, 3])], outputs: 2 },
  {
    op: "Resize",
    from: 10,
    to: 10,
    dims: [2, 3, 2, 4],
    more: [float32([4], [1, 1, 2, 1.5])],
    attributes: { mode: text("nearest") },
  },
  {
    op: "Resize",
    from: 10,
    to: 10,
    dims: [2, 3, 2, 4],
    more: [float32([4], [1, 1, 2, 2])],
    attributes: { mode: text("linear") },
  },
  {
    op: "Upsample",
    from: 7,
    to: 8,
    dims: [2, 3, 2, 4],
    attributes: { scales: { kind: "floats", value: [1, 1, 2, 3] } },
  },
  {
    op: "Upsample",
    from: 9,
    to: 9,
    dims: [2, 3, 2, 4],
    more: [float32([4], [1, 1, 3, 2])],
    attributes: { mode: text("nearest") },
  },
  { op: "Hardmax", from: 7, to: 12, dims: [2, 3, 4] },
  { op: "TopK", from: 7, to: 9, dims: [2, 5], attributes: { k: int(2) }, outputs: 2 },
  { op: "Relu", from: 7, to: 19, dims: [2, 3] },
];

function modelOf(call: OldCall, opset: number): Model {
  const parameters = (call.more ?? []).map((tensor, index) => [`p${index}`, tensor] as const);
  const node: Node = {
    name: "old",
    op: call.op,
    domain: "",
    inputs: ["x", ...parameters.map(([name]) => name)],
    outputs: Array.from({ length: call.outputs ?? 1 }, (_, index) => `y${index}`),
    attributes: call.attributes ?? {},
  };
  // A second node with a name that the upgrade might invent.
  const last: Node = {
    ...node,
    name: "last",
    op: "Relu",
    inputs: ["y0"],
    outputs: ["constant_0"],
    attributes: {},
  };
  const graph = {
    name: "old",
    inputs: [{ name: "x", dtype: "float32" as const, shape: ["batch", ...call.dims.slice(1)] }],
    outputs: [],
    nodes: [node, last],
    parameters: new Map(parameters),
  };
  const outputs = [...inferTypes(graph)].flatMap(([name, type]) =>
    [...node.outputs, "constant_0"].includes(name) ? [{ name, ...type }] : [],
  );
  return { ...makeModel({ ...graph, outputs }), opsets: new Map([["", opset]]) };
}

async function run(model: Model, x: Tensor): Promise<readonly Pick<Tensor, "dims" | "data">[]> {
  const session = await Session.create(encodeModel(model));
  const names = model.graph.outputs.map(({ name }) => name);
  const results = await session.run({ x }, Object.fromEntries(names.map((name) => [name, null])));
  await session.release();
  return names.map((name) => {
    const { dims, data } = results[name] as Tensor;
    return { dims, data };
  });
}

describe("a model upgraded to opset 20 computes the same", () => {
  for (const call of calls) {
    it(`${call.op} of opsets ${call.from} to ${call.to} ${JSON.stringify(call.attributes ?? {})}`, async () => {
      for (let opset = call.from; opset <= call.to; opset++) {
        const model = modelOf(call, opset);
        const x = randomTensor(opset, call.dims);
        const raised = upgradeOpset(model);
        expect(raised.opsets.get("")).toBe(defaultOpset);
        expect(await run(raised, x)).toEqual(await run(model, x));
      }
    });
  }

  it("leaves newer models as they are", () => {
    const model = modelOf({ op: "Relu", from: 7, to: 19, dims: [2] }, 21);
    expect(upgradeOpset(model)).toBe(model);
  });

  it("does not grow operators with another meaning in an older opset", () => {
    const growable = (opset: number, axis: number) => {
      const graph = newGraph();
      graph.input("x", { dtype: "float32", shape: ["batch", 4, 3] });
      graph.parameter("in.weight", randomTensor(1, [3, 6]));
      graph.parameter("out.weight", randomTensor(2, [6, 2]));
      const hidden = graph.emit("MatMul", ["x", "in.weight"]);
      const shares = graph.emit("Softmax", [hidden], { axis: int(axis) });
      graph.output(graph.emit("MatMul", [shares, "out.weight"]));
      const model = { ...makeModel(graph.build("shares")), opsets: new Map([["", opset]]) };
      return findWidths(model).filter((width) => width.growable).length;
    };
    expect(growable(13, 1)).toBe(1);
    // Over axes 1 and 2 together.
    expect(growable(12, 1)).toBe(0);
    expect(growable(12, 2)).toBe(0);
  });

  it("refuses what opset 20 cannot express", () => {
    const relu: OldCall = { op: "Relu", from: 7, to: 19, dims: [2] };
    expect(() => upgradeOpset(modelOf(relu, 6))).toThrow(/opset 7 or newer/);
    const more = [1, 2, 3, 4].map((seed) => randomTensor(seed, [3]));
    const norm: OldCall = { op: "BatchNormalization", from: 7, to: 13, dims: [2, 3, 4], more };
    expect(() => upgradeOpset(modelOf({ ...norm, outputs: 5 }, 9))).toThrow(/opset 14 or newer to train/);
    expect(() => upgradeOpset(modelOf({ ...norm, attributes: { spatial: int(0) } }, 8))).toThrow(
      /as a whole/,
    );
  });
});
