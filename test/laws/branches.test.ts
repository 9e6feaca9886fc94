import { describe, expect, it } from "vitest";
import { Session } from "../../src/engine/session.ts";
import { decodeModel, encodeModel } from "../../src/formats/onnx/index.ts";
import {
  type Attribute,
  type Graph,
  type Model,
  makeModel,
  type Node,
  type Subgraph,
} from "../../src/graph/model.ts";
import { grow, verify, widths } from "../../src/index.ts";
import { ownParameters } from "../../src/ops/rewrites/own-parameters.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, int64, makeTensor, type Tensor, toNumbers } from "../../src/tensor/tensor.ts";

const draws = new Random(3, "branches");
const normal = (...dims: number[]): Tensor<"float32"> =>
  float32(
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => draws.normal()),
  );

const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: Record<string, Attribute> = {},
): Node => ({ name: `${output}.node`, op, domain: "", inputs, outputs: [output], attributes });

const branch = (nodes: readonly Node[], parameters: Record<string, Tensor> = {}): Attribute => {
  const value: Subgraph = {
    name: "branch",
    inputs: [],
    outputs: [{ name: nodes.at(-1)?.outputs[0] as string }],
    nodes,
    parameters: new Map(Object.entries(parameters)),
  };
  return { kind: "graph", value };
};

const choice = (condition: string, output: string, then: Attribute, otherwise: Attribute): Node =>
  node("If", [condition], output, { then_branch: then, else_branch: otherwise });

const x = { name: "x", dtype: "float32", shape: ["n", 5] } as const;
const flag = { name: "flag", dtype: "bool", shape: [] } as const;
const y = { name: "y", dtype: "float32", shape: ["n", 2] } as const;

function model(
  nodes: readonly Node[],
  parameters: Record<string, Tensor>,
  given: Partial<Graph> = {},
): Model {
  const graph = {
    name: "g",
    inputs: [x, flag],
    outputs: [y],
    nodes,
    parameters: new Map(Object.entries(parameters)),
  };
  return makeModel({ ...graph, ...given });
}

async function outputs(of: Model, feeds: Record<string, Tensor>): Promise<readonly number[]> {
  const session = await Session.create(encodeModel(of), {});
  try {
    const made = await session.run(feeds, { y: null });
    return toNumbers(made.y as Tensor);
  } finally {
    await session.release();
  }
}

const yes = (value: boolean) => makeTensor("bool", [], Uint8Array.of(Number(value)));
const growable = (of: Model) => widths(of).flatMap(({ id, growable }) => (growable ? [id] : []));

/** Hidden units before the branches, in one of them, and in a branch of a branch; both branches use the same names. */
const nested = () => {
  const inner = choice(
    "flag2",
    "h",
    branch(
      [node("MatMul", ["t", "deep"], "u"), node("Tanh", ["u"], "v"), node("MatMul", ["v", "deep2"], "w")],
      {
        deep: normal(6, 3),
        deep2: normal(3, 4),
      },
    ),
    branch([node("MatMul", ["t", "flat"], "u")], { flat: normal(6, 4) }),
  );
  return model(
    [
      node("MatMul", ["x", "w0"], "a"),
      node("Relu", ["a"], "t"),
      choice(
        "flag",
        "h0",
        branch([inner]),
        branch([node("MatMul", ["t", "other"], "h")], { other: normal(6, 4) }),
      ),
      node("Sigmoid", ["h0"], "z"),
      node("MatMul", ["z", "w1"], "y"),
    ],
    { w0: normal(5, 6), w1: normal(4, 2) },
    { inputs: [x, flag, { ...flag, name: "flag2" }] },
  );
};

describe("branches", () => {
  it("have widths before, inside and after them, in nested branches too", async () => {
    const read = nested();
    const own = ownParameters(read);
    expect(growable(own)).toEqual(["w0", "deep", "deep2"]);
    const grown = grow(own, [{ width: "all", by: 3 }]).model;
    expect((await verify(own, decodeModel(encodeModel(grown)))).preserved).toBe(true);
    for (const [a, b] of [
      [true, true],
      [true, false],
      [false, true],
    ] as const) {
      const feeds = { x: normal(3, 5), flag: yes(a), flag2: yes(b) };
      const expected = await outputs(read, feeds);
      const made = await outputs(own, feeds);
      expect(made).toEqual(expected);
      const wide = await outputs(grown, feeds);
      wide.forEach((value, at) => {
        expect(value).toBeCloseTo(expected[at] as number, 4);
      });
    }
  });

  it("are run only if they are taken", async () => {
    const cut = branch(
      [node("Reshape", ["x", "nine"], "r"), node("Shape", ["r"], "dead"), node("MatMul", ["r", "w9"], "s")],
      {
        nine: int64([2], [-1, 9]),
        w9: normal(9, 2),
      },
    );
    const whole = branch([node("MatMul", ["x", "w5"], "s")], { w5: normal(5, 2) });
    const own = ownParameters(model([choice("flag", "y", cut, whole)], {}));
    // 2 rows of 5 do not make rows of 9.
    expect(await outputs(own, { x: normal(2, 5), flag: yes(false) })).toHaveLength(4);
    await expect(outputs(own, { x: normal(2, 5), flag: yes(true) })).rejects.toThrow();
    expect(await outputs(own, { x: normal(9, 5), flag: yes(true) })).toHaveLength(10);
  });

  it("pass on values from outside", async () => {
    const own = ownParameters(
      model(
        [
          node("MatMul", ["x", "w0"], "h"),
          choice(
            "flag",
            "c",
            branch([node("Identity", ["h"], "same")]),
            branch([node("Neg", ["h"], "other")]),
          ),
          node("MatMul", ["c", "w1"], "y"),
        ],
        { w0: normal(5, 4), w1: normal(4, 2) },
      ),
    );
    expect(growable(own)).toEqual(["w0"]);
    const grown = grow(own, [{ width: "w0", by: 2 }]).model;
    const feeds = { x: normal(2, 5), flag: yes(false) };
    const [before, after] = [await outputs(own, feeds), await outputs(grown, feeds)];
    after.forEach((value, at) => {
      expect(value).toBeCloseTo(before[at] as number, 4);
    });
  });

  it("are decided by the sizes of the model, or by what a squeeze of an unknown axis implies", () => {
    const squeeze = (rows: number | string) => {
      const one = int64([1], [1]);
      return model(
        [
          node("MatMul", ["x", "w0"], "h"),
          node("Shape", ["h"], "shape"),
          node("Gather", ["shape", "axis"], "size"),
          node("Equal", ["size", "one"], "isOne"),
          choice(
            "isOne",
            "c",
            branch([node("Squeeze", ["h", "axes"], "less")], { axes: one }),
            branch([node("Identity", ["h"], "same")]),
          ),
          node("MatMul", ["c", "w1"], "y"),
        ],
        { w0: normal(5, 4), w1: normal(4, 2), axis: int64([], [1]), one: int64([], [1]) },
        { inputs: [{ ...x, shape: ["n", rows, 5] }], outputs: [{ ...y, shape: ["n", 2] }] },
      );
    };
    const known = ownParameters(squeeze(1));
    expect(known.graph.nodes.map(({ op }) => op)).toEqual(expect.not.arrayContaining(["If", "Choose"]));
    expect(growable(known)).toEqual(["w0"]);
    const open = ownParameters(squeeze("rows"));
    expect(open.graph.nodes.some(({ op }) => op === "Choose")).toBe(true);
    expect(growable(open)).toEqual(["w0"]);
    expect(decodeModel(encodeModel(open)).graph.nodes.some(({ op }) => op === "If")).toBe(true);
  });
});
