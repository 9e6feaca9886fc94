/**
 * What finding all widths of a residual chain takes, and growing all of them to twice their size, over chains of 600 to
 * 38,400 nodes: processor seconds, and the exponent with which they grow. Run alone it prints a sentence and fails where
 * the limit is passed.
 */

import { calledAs, inOwnProcess } from "./own-process.mjs";

/** The largest exponent: 1 is linear. */
export const limit = 1.1;
const sizes = [600, 2400, 9600, 38400];

/** Gives `{ limit, runs: [{ nodes, widths, inspect, grow }], exponents: { inspect, grow } }`, times in processor seconds. */
export function measureAnalysis() {
  return inOwnProcess(import.meta.url);
}

async function measure() {
  const { grow, widths } = await import("../dist/index.js");
  const timed = (act) => {
    const before = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  const analyze = (model) => ({
    nodes: model.graph.nodes.length,
    widths: widths(model).length,
    inspect: timed(() => widths(model)),
    grow: timed(() => grow(model, [{ width: "all", times: 2 }])),
  });
  // The first call compiles.
  analyze(chain(600));
  const runs = sizes.map((nodes) => analyze(chain(nodes)));
  return { limit, runs, exponents: { inspect: exponent(runs, "inspect"), grow: exponent(runs, "grow") } };
}

/** The slope of the straight line through the logarithms, by least squares. */
function exponent(runs, what) {
  const points = runs.map((run) => [Math.log(run.nodes), Math.log(run[what])]);
  const [x, y] = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
  const slope = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return slope / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

/** Residual blocks x + b·relu(a·x), of six nodes each: one width inside each, and the stream that all of them share. */
function chain(count) {
  const parameters = new Map();
  const nodes = [];
  const add = (op, inputs, output) => {
    nodes.push({ name: output, op, domain: "", inputs, outputs: [output], attributes: {} });
    return output;
  };
  const weight = (name, dims) => {
    const length = dims.reduce((product, size) => product * size, 1);
    const data = Float32Array.from({ length }, (_, at) => Math.sin(at + parameters.size) / 4);
    parameters.set(name, { dtype: "float32", dims, data });
    return name;
  };
  const linear = (x, name, [from, to]) => {
    const product = add("MatMul", [x, weight(`${name}.weight`, [from, to])], `${name}.product`);
    return add("Add", [product, weight(`${name}.bias`, [to])], name);
  };
  let x = linear("x", "stem", [4, 8]);
  while (nodes.length + 8 <= count) {
    const block = `block${nodes.length}`;
    const inner = add("Relu", [linear(x, `${block}.a`, [8, 16])], `${block}.relu`);
    x = add("Add", [x, linear(inner, `${block}.b`, [16, 8])], block);
  }
  const output = linear(x, "head", [8, 3]);
  const value = (name, size) => ({ name, dtype: "float32", shape: ["batch", size] });
  const graph = { name: "chain", inputs: [value("x", 4)], outputs: [value(output, 3)], nodes, parameters };
  return { graph, irVersion: 9, opsets: new Map([["", 20]]), producer: "bench", metadata: new Map() };
}

/** The result in words. */
export function analysisSentence({ limit: most, runs, exponents }) {
  const parts = runs.map(
    ({ nodes, widths, inspect, grow }) =>
      `${nodes} nodes (${widths} widths) ${inspect.toFixed(2)} and ${grow.toFixed(2)} s`,
  );
  return (
    `finding the widths of a residual chain and growing all of them to twice their size takes, in processor seconds, ` +
    `for ${parts.join(", ")}. Exponents over the number of nodes: ${exponents.inspect.toFixed(2)} and ` +
    `${exponents.grow.toFixed(2)}. Limit: ${most}.`
  );
}

const called = calledAs(import.meta.url);
if (called === "measure") process.stdout.write(JSON.stringify(await measure()));
if (called === "show") {
  const result = await measureAnalysis();
  process.stdout.write(`${analysisSentence(result)}\n`);
  if (Math.max(...Object.values(result.exponents)) > result.limit) process.exitCode = 1;
}
