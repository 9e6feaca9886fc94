import { expect, test } from "vitest";
import { int, makeModel } from "../../graph/model.ts";
import { newGraph } from "../../ops/index.ts";
import { float32 } from "../../tensor/tensor.ts";
import { RoundingBounds } from "./rounding-bounds.ts";

const [from, to, rows] = [1100, 1000, 2];
const waves = (dims: readonly number[], step: number) =>
  float32(
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, at) => Math.sin(at * step)),
  );

test.each([
  ["MatMul", [from, to], {}],
  ["Gemm", [from, to], {}],
  ["Gemm", [to, from], { transB: int(1) }],
] as const)("the bound of a %s with a large weight %j is γ·|x|·|W|", async (op, dims, attributes) => {
  const weight = waves(dims, 0.7);
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape: ["batch", from] });
  const y = graph.emit(op, [x, graph.parameter("weight", weight)], attributes);
  graph.output(y);
  const bounds = new RoundingBounds(makeModel(graph.build("product")), [y], {});
  const feeds = { x: waves([rows, from], 0.3) };
  const bound = (await bounds.run(feeds))?.[y]?.data as Float32Array;
  await bounds.release();
  const gamma = (from + 2) * 2 ** -24;
  const stride = "transB" in attributes ? [1, from] : [to, 1];
  for (const [at, actual] of bound.entries()) {
    const [row, column] = [Math.floor(at / to), at % to];
    let sum = 0;
    for (let k = 0; k < from; k++) {
      const w = weight.data[k * (stride[0] as number) + column * (stride[1] as number)] as number;
      sum += Math.abs((feeds.x.data[row * from + k] as number) * w);
    }
    // A Gemm is rounded once more, when it is scaled.
    expect(actual / (gamma * sum)).toBeGreaterThan(0.999);
    expect(actual / (gamma * sum)).toBeLessThan(1.01);
  }
  expect(bound).toHaveLength(rows * to);
});
