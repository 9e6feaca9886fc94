import { expect, test } from "vitest";
import { encodeModel } from "../formats/onnx/index.ts";
import { makeModel } from "../graph/model.ts";
import { newGraph } from "../ops/index.ts";
import { full, type Tensor, zeros } from "../tensor/tensor.ts";
import { Session } from "./session.ts";

const size = 2 ** 20;

async function doubling(): Promise<Session> {
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape: [size] });
  graph.output(graph.emit("Add", [x, x]));
  return Session.create(encodeModel(makeModel(graph.build("doubling"))));
}

test("an output that is filled in place leaves no copy to the garbage collector", async () => {
  const session = await doubling();
  const [name] = session.outputNames as [string];
  const into = zeros("float32", [size]);
  const inputs = [full([size], 1), full([size], 2), full([size], 3)];
  await session.run({ x: inputs[0] as Tensor }, { [name]: into });
  const before = process.memoryUsage().arrayBuffers;
  for (const x of inputs) expect((await session.run({ x }, { [name]: into }))[name]).toBe(into);
  expect(into.data[size - 1]).toBe(6);
  // A copy has four bytes per entry.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(size);
  await session.release();
});

test("a fresh output belongs to the caller for good", async () => {
  const session = await doubling();
  const [name] = session.outputNames as [string];
  const { [name]: first } = await session.run({ x: full([size], 1) }, { [name]: null });
  await session.run({ x: full([size], 2) }, { [name]: zeros("float32", [size]) });
  expect(first?.data[size - 1]).toBe(2);
  await session.release();
});
