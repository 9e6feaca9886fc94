import { describe, expect, it } from "vitest";
import type { GraphBuilder } from "../../src/graph/builder.ts";
import type { Shape } from "../../src/graph/dim.ts";
import { int, type Model, makeModel, text } from "../../src/graph/model.ts";
import { grow, verify, widths } from "../../src/index.ts";
import { newGraph } from "../../src/ops/index.ts";
import { ownParameters } from "../../src/ops/rewrites/own-parameters.ts";
import type { DType } from "../../src/tensor/dtype.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, int64, type Tensor } from "../../src/tensor/tensor.ts";

const draws = new Random(17, "exporter idioms");

function normal(...dims: number[]): Tensor<"float32"> {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    dims,
    Array.from({ length: size }, () => 0.4 * draws.normal()),
  );
}

type Inputs = Readonly<Record<string, readonly [DType, Shape]>>;

function build(inputs: Inputs, write: (graph: GraphBuilder) => string): Model {
  const graph = newGraph();
  for (const [name, [dtype, shape]] of Object.entries(inputs)) graph.input(name, { dtype, shape });
  graph.output(write(graph));
  return ownParameters(makeModel(graph.build("idiom")));
}

/** Puts a weight into the graph, and returns its name. */
const weight = (graph: GraphBuilder, name: string, ...dims: number[]) =>
  graph.parameter(name, normal(...dims));

const idioms: Readonly<
  Record<string, { readonly growable: readonly string[]; readonly model: () => Model }>
> = {
  "PyTorch's stacked LSTM, whose layers begin with slices of one tensor of zeros": {
    growable: ["w0", "w1"],
    model: () =>
      build({ x: ["float32", ["steps", "batch", 3]] }, (graph) => {
        const batch = graph.emit("Gather", [graph.emit("Shape", ["x"]), graph.vector([1])]);
        const dims = graph.emit("Concat", [graph.vector([2]), batch, graph.vector([4])], { axis: int(0) });
        const zeros = graph.emit("ConstantOfShape", [dims]);
        let value = "x";
        for (const [layer, size] of [3, 4].entries()) {
          const [from, to] = [graph.vector([layer]), graph.vector([layer + 1])];
          const state = graph.emit("Slice", [zeros, from, to, graph.vector([0])]);
          const weights = [weight(graph, `w${layer}`, 1, 16, size), weight(graph, `r${layer}`, 1, 16, 4)];
          const all = graph.emit("LSTM", [value, ...weights, "", "", state, state], { hidden_size: int(4) });
          value = graph.emit("Squeeze", [all, graph.vector([1])]);
        }
        return graph.emit("MatMul", [value, weight(graph, "head", 4, 2)]);
      }),
  },
  "PaddlePaddle's Reshape to a length that another value has": {
    growable: ["w0"],
    model: () =>
      build({ x: ["float32", ["batch", "length", 5]], like: ["float32", ["positions"]] }, (graph) => {
        const hidden = graph.emit("MatMul", ["x", weight(graph, "w0", 5, 6)]);
        const size = graph.emit("Size", ["like"]);
        const columns = graph.emit("Unsqueeze", [size, graph.vector([0])]);
        const ends = [graph.vector([0]), graph.vector([1]), columns, graph.vector([6])];
        const shape = graph.emit("Concat", ends, { axis: int(0) });
        const folded = graph.emit("Reshape", [hidden, shape]);
        return graph.emit("MatMul", [folded, weight(graph, "w1", 6, 2)]);
      }),
  },
  "a graph network's messages, added up by ScatterElements": {
    growable: ["w0"],
    model: () =>
      build({ nodes: ["float32", [5, 3]] }, (graph) => {
        graph.parameter("from", int64([7], [0, 1, 2, 3, 4, 0, 2]));
        graph.parameter("to", int64([7], [1, 2, 3, 4, 0, 3, 0]));
        const hidden = graph.emit("Tanh", [graph.emit("MatMul", ["nodes", weight(graph, "w0", 3, 4)])]);
        const messages = graph.emit("Gather", [hidden, "from"]);
        const column = graph.emit("Unsqueeze", ["to", graph.vector([1])]);
        const index = graph.emit("Expand", [column, graph.emit("Shape", [messages])]);
        const zeros = graph.emit("ConstantOfShape", [graph.emit("Shape", [hidden])]);
        const attributes = { axis: int(0), reduction: text("add") };
        const sums = graph.emit("ScatterElements", [zeros, index, messages], attributes);
        return graph.emit("MatMul", [sums, weight(graph, "w1", 4, 2)]);
      }),
  },
  "dynamo's CastLike": {
    growable: ["w0"],
    model: () =>
      build({ x: ["float32", [3, 4]] }, (graph) => {
        const hidden = graph.emit("MatMul", ["x", weight(graph, "w0", 4, 5)]);
        const back = graph.emit("CastLike", [graph.emit("Cast", [hidden], { to: int(11) }), "x"]);
        return graph.emit("MatMul", [back, weight(graph, "w1", 5, 2)]);
      }),
  },
  "rows of a state that ScatterND replaces": {
    growable: ["w0"],
    model: () =>
      build({ x: ["float32", [3, 4]] }, (graph) => {
        const hidden = graph.emit("MatMul", ["x", weight(graph, "w0", 4, 5)]);
        graph.parameter("rows", int64([2, 1], [2, 0]));
        const first = graph.emit("Slice", [hidden, graph.vector([0]), graph.vector([2]), graph.vector([0])]);
        const twice = graph.emit("Relu", [first]);
        const sums = graph.emit("ScatterND", [hidden, "rows", twice]);
        return graph.emit("MatMul", [sums, weight(graph, "w1", 5, 2)]);
      }),
  },
};

describe("idioms of exporters", () => {
  it.each(Object.entries(idioms))("%s", async (_, { growable, model }) => {
    const read = model();
    const found = widths(read).filter((width) => width.growable);
    expect(found.map(({ id }) => id)).toEqual(growable);
    for (const { id, multiple } of found) {
      const grown = grow(read, [{ width: id, by: 2 * multiple }]).model;
      expect(
        (await verify(read, grown, { sizes: [{ batch: 3, length: 4, positions: 4 }] })).preserved,
        id,
      ).toBe(true);
    }
  });
});
