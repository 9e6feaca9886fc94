import type { GraphBuilder } from "../../../src/graph/builder.ts";
import { type Attributes, int } from "../../../src/graph/model.ts";
import { compile } from "../../../src/models/compile.ts";
import { newGraph, operators } from "../../../src/ops/index.ts";
import { isFloat } from "../../../src/tensor/dtype.ts";
import { type Tensor, zeros } from "../../../src/tensor/tensor.ts";
import { differentiate } from "../../../src/training/graphs/differentiate.ts";
import type { Exchange } from "./exchange.ts";

/** One call of one operator. Its tensors are called `${id}.x0` (inputs) and `${id}.r0` (upstream gradients). */
interface Asked {
  readonly id: string;
  readonly op: string;
  readonly attributes: Attributes;
  /** By input: a constant of the graph, fed with its sizes as numbers, fed with named sizes, or left out. */
  readonly inputs: readonly ("constant" | "fed" | "named" | "none")[];
  readonly outputs: number;
  /** Inputs whose gradient is compared. */
  readonly differentiable: readonly number[];
  /** Axes from this one on keep their sizes as numbers. */
  readonly numericFrom: number;
}

type Answered = { readonly id: string; readonly error: string | null };

/** Names of all operators, and whether each has a gradient rule. */
export async function listOperators(exchange: Exchange): Promise<void> {
  const rules = Object.entries(operators).map(([name, { gradient }]) => [name, gradient !== "none"]);
  await exchange.answer(Object.fromEntries(rules), new Map());
}

/** Runs each call forwards and backwards; answers its outputs (`y0`) and gradients (`g0`), or why it failed. */
export async function gradients(exchange: Exchange): Promise<void> {
  const given = await exchange.tensors();
  const tensors = new Map<string, Tensor>();
  const answers: Answered[] = [];
  for (const call of await exchange.asked<readonly Asked[]>()) {
    let error: string | null = null;
    try {
      for (const [name, tensor] of await runCall(call, given)) tensors.set(`${call.id}.${name}`, tensor);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.message : String(thrown);
    }
    answers.push({ id: call.id, error });
  }
  await exchange.answer(answers, tensors);
}

async function runCall(call: Asked, given: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
  const graph = newGraph();
  const feeds: Record<string, Tensor> = {};
  const inputs = call.inputs.map((kind, index) => {
    if (kind === "none") return "";
    const name = `x${index}`;
    const tensor = given.get(`${call.id}.${name}`) as Tensor;
    if (kind === "constant") return graph.parameter(name, tensor);
    feeds[name] = tensor;
    const shape = tensor.dims.map((dim, axis) =>
      kind === "named" && dim > 1 && axis < call.numericFrom ? `d${dim}` : dim,
    );
    return graph.input(name, { dtype: tensor.dtype, shape });
  });
  const outputs = Array.from({ length: call.outputs }, (_, index) => `y${index}`);
  graph.add({ name: "asked", op: call.op, domain: "", inputs, outputs, attributes: call.attributes });
  const terms = outputs.flatMap((name, index) => {
    const upstream = given.get(`${call.id}.r${index}`);
    if (upstream === undefined) return [];
    feeds[`r${index}`] = upstream;
    const { shape } = graph.typeOf(name);
    return [functional(graph, name, graph.input(`r${index}`, { dtype: "float32", shape }), shape.length)];
  });
  const loss = terms.reduce((sum, term) => graph.emit("Add", [sum, term]));
  const found = differentiate(
    graph,
    loss,
    call.differentiable.map((index) => `x${index}`),
  );
  const fetches = new Map(
    outputs.filter((name) => isFloat(graph.typeOf(name).dtype)).map((name) => [name, name]),
  );
  for (const index of call.differentiable) {
    const name = found.get(`x${index}`);
    if (name !== undefined) fetches.set(`g${index}`, graph.emit("Identity", [name], {}, `gradient${index}`));
  }
  // Lowered like a program, to nodes that ONNX Runtime supports in the graphs' operator set.
  const session = await compile(graph, [...fetches.values()], {});
  const wanted = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name));
  const results = await session.run(
    Object.fromEntries(wanted),
    Object.fromEntries([...fetches.values()].map((name) => [name, null])),
  );
  await session.release();
  const answers = new Map([...fetches].map(([name, value]) => [name, results[value] as Tensor]));
  for (const index of call.differentiable) {
    // The loss does not depend on it.
    if (!found.has(`x${index}`)) answers.set(`g${index}`, zeros("float32", feeds[`x${index}`]?.dims ?? []));
  }
  return answers;
}

/** Σ value·upstream, a scalar. */
function functional(graph: GraphBuilder, value: string, upstream: string, rank: number): string {
  const product = graph.emit("Mul", [value, upstream]);
  return rank === 0 ? product : graph.emit("ReduceSum", [product], { keepdims: int(0) });
}
