import { describe, expect, it } from "vitest";
import { type Model, makeModel, type Node } from "../../graph/model.ts";
import { compile } from "../../models/compile.ts";
import { cnn } from "../../nn/cnn.ts";
import { newGraph } from "../../ops/index.ts";
import { Random } from "../../tensor/random.ts";
import { float32, int32, type Tensor } from "../../tensor/tensor.ts";
import { moveBehindMaxima } from "./behind-maxima.ts";
import { differentiate } from "./differentiate.ts";
import { type Program, writeProgram } from "./program.ts";

const model = cnn({ input: [2, 6, 6], filters: [3, 4], classes: 3, seed: 5 });

/**
 * Loss and gradients on a batch with many equal elements, so that windows contain several maxima, of 0 and
 * above.
 */
async function trained(program: Program): Promise<ReadonlyMap<string, ArrayLike<number | bigint>>> {
  const gradients = differentiate(program.graph, program.loss, program.trainable);
  const random = new Random(3, 1);
  const x = Float32Array.from({ length: 5 * 2 * 36 }, () => Math.floor(3 * random.uniform()) - 1);
  const feeds: Record<string, Tensor> = {
    input: float32([5, 2, 6, 6], x),
    target: int32([5], [0, 1, 2, 1, 0]),
  };
  for (const name of program.variables) feeds[name] = model.graph.parameters.get(name) as Tensor;
  const wanted = [program.loss, ...gradients.values()];
  const session = await compile(program.graph, wanted, {});
  const results = await session.run(feeds, Object.fromEntries(wanted.map((name) => [name, null])));
  await session.release();
  const named = [["loss", program.loss] as const, ...gradients];
  return new Map(
    named.map(([name, value]) => [name, (results[value] as Tensor).data as ArrayLike<number | bigint>]),
  );
}

const order = (nodes: readonly Node[]) => nodes.map(({ op }) => op).join(" ");

/** x → Relu, and what `more` adds. */
function chain(more: (graph: ReturnType<typeof newGraph>, relu: string) => void): Model {
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape: [1, 1, 4, 4] });
  more(graph, graph.emit("Relu", [x]));
  return makeModel(graph.build("chain"));
}

const window = { kernel_shape: { kind: "ints", value: [2, 2] } } as const;

describe("an elementwise node that commutes with a maximum", () => {
  it("is computed after the pool, with the same loss and gradients, bit for bit", async () => {
    const write = (training: boolean) =>
      writeProgram({ model, widths: [], loss: "crossEntropy", training, frozen: [] });
    const [moved, plain] = [write(true), write(false)];
    expect(order(plain.graph.nodes)).toContain("Conv Relu MaxPool Conv Relu MaxPool");
    expect(order(moved.graph.nodes)).toContain("Conv MaxPool Relu Conv MaxPool Relu");
    expect(await trained(moved)).toEqual(await trained(plain));
  });

  it("stays in place if something else reads it, or if positions are requested", () => {
    const outputs = chain((graph, relu) => {
      graph.output(graph.emit("MaxPool", [relu], window));
      graph.output(relu);
    });
    expect(
      order(
        moveBehindMaxima(
          outputs.graph,
          outputs.graph.outputs.map(({ name }) => name),
        ),
      ),
    ).toBe("Relu MaxPool");
    const twice = chain((graph, relu) => {
      graph.output(graph.emit("MaxPool", [relu], window));
      graph.output(graph.emit("Exp", [relu]));
    });
    expect(order(moveBehindMaxima(twice.graph, []))).toBe("Relu MaxPool Exp");
    const positions = chain((graph, relu) => {
      for (const name of graph.emitAll("MaxPool", [relu], 2, window)) graph.output(name);
    });
    expect(order(moveBehindMaxima(positions.graph, []))).toBe("Relu MaxPool");
    const other = chain((graph, relu) => {
      graph.output(graph.emit("AveragePool", [relu], window));
    });
    expect(order(moveBehindMaxima(other.graph, []))).toBe("Relu AveragePool");
  });
});
