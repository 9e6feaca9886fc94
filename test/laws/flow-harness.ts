import { Session } from "../../src/engine/session.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import { growthIndices, type Layout, layoutSize, sameLayout } from "../../src/graph/layout.ts";
import { makeModel, type Node } from "../../src/graph/model.ts";
import type { AxisRef, Flow, Tie } from "../../src/ops/flow.ts";
import { newGraph, operatorOf } from "../../src/ops/index.ts";
import { Call } from "../../src/ops/operator.ts";
import { take } from "../../src/tensor/axis.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import type { GradientCase } from "./gradient-harness.ts";

const inputName = (index: number) => `x${index}`;
const outputName = (index: number) => `y${index}`;
const at = ({ side, index, axis }: AxisRef) => `${side}${index}.${axis}`;

/** Where a growth of one axis of one call goes: the layout of each axis that it reaches, or why it may not. */
type Reach =
  | ReadonlyMap<string, { readonly ref: AxisRef; readonly layout: Layout }>
  | { readonly refused: string };

/**
 * Grows one axis of one call by `by` units of `layout`, and everything that its flow rule ties to it, with zeros.
 * The grown call must be valid, have the predicted sizes, and at the old positions give the old output. Returns
 * the reason where the rule refuses the growth, "grown" where it was carried out.
 */
export async function checkFlow(
  test: GradientCase,
  pick: { readonly axis: number; readonly layout: number; readonly by: number },
): Promise<string> {
  const node: Node = {
    name: "checked",
    op: test.op,
    domain: "",
    inputs: test.inputs.map((tensor, index) => (tensor === undefined ? "" : inputName(index))),
    outputs: Array.from({ length: test.outputs ?? 1 }, (_, index) => outputName(index)),
    attributes: test.attributes ?? {},
  };
  const before = await run(node, test.inputs);
  const axes = [
    ...test.inputs.flatMap((tensor, index) =>
      tensor === undefined || tensor.dtype === "int64"
        ? []
        : tensor.dims.map((size, axis) => ({ ref: { side: "input", index, axis } as const, size })),
    ),
    ...before.flatMap(({ dims }, index) =>
      dims.map((size, axis) => ({ ref: { side: "output", index, axis } as const, size })),
    ),
  ];
  if (axes.length === 0) return "has no axis";
  const start = axes[pick.axis % axes.length] as (typeof axes)[number];
  const choices = layoutsOf(start.size);
  const { layout, units } = choices[pick.layout % choices.length] as (typeof choices)[number];
  const reach = trace(flowOf(node, test.inputs), start.ref, layout);
  if ("refused" in reach) return reach.refused;

  const grown = test.inputs.map((tensor, index) => {
    if (tensor === undefined) return undefined;
    return tensor.dims.reduce<Tensor>((result, _, axis) => {
      const reached = reach.get(at({ side: "input", index, axis }));
      return reached === undefined
        ? result
        : take(result, axis, growthIndices(reached.layout, units, pick.by));
    }, tensor);
  });
  const after = await run(node, grown);
  after.forEach((result, index) => {
    let old: Tensor = result;
    result.dims.forEach((size, axis) => {
      const reached = reach.get(at({ side: "output", index, axis }));
      const was = before[index]?.dims[axis] as number;
      const predicted = reached === undefined ? was : layoutSize(reached.layout, units + pick.by);
      if (size !== predicted) {
        throw new Error(
          `${describe(test, start.ref, layout)}: output axis ${axis} is ${size}, not ${predicted}`,
        );
      }
      if (reached === undefined) return;
      const indices = growthIndices(reached.layout, units, pick.by);
      const places = Array.from({ length: was }, (_, position) => indices.indexOf(position));
      old = take(old, axis, places);
    });
    const [values, expected] = [old.data, (before[index] as Tensor).data];
    expected.forEach((value: number | bigint, position: number) => {
      const other = values[position] as number | bigint;
      if (other !== value && !(Number.isNaN(Number(other)) && Number.isNaN(Number(value)))) {
        const gap = Math.abs(Number(other) - Number(value));
        // Sums may be taken in another order, and vector code may round unlike its scalar tail.
        if (gap <= 1e-5 * (1 + Math.abs(Number(value)))) return;
        throw new Error(`${describe(test, start.ref, layout)}: entry ${position} was ${value}, is ${other}`);
      }
    });
  });
  return "grown";
}

/** Ways to see an axis of `size` positions as units. */
function layoutsOf(size: number): readonly { readonly layout: Layout; readonly units: number }[] {
  const ways: { layout: Layout; units: number }[] = [{ layout: [{ inner: 1 }], units: size }];
  for (let inner = 2; inner <= size; inner++) {
    if (size % inner !== 0) continue;
    ways.push({ layout: [{ inner }], units: size / inner });
    ways.push({ layout: Array.from({ length: inner }, () => ({ inner: 1 })), units: size / inner });
  }
  for (let fixed = 1; fixed < size; fixed++) {
    ways.push({ layout: [{ fixed }, { inner: 1 }], units: size - fixed });
    ways.push({ layout: [{ inner: 1 }, { fixed }], units: size - fixed });
  }
  return ways;
}

function flowOf(node: Node, inputs: readonly (Tensor | undefined)[]): Flow {
  const graph = newGraph();
  inputs.forEach((tensor, index) => {
    if (tensor !== undefined) graph.parameter(inputName(index), tensor);
  });
  graph.add(node);
  const call = new Call(
    node,
    (name) => (graph.has(name) ? graph.typeOf(name) : undefined),
    (name) => graph.parameters.get(name),
  );
  return operatorOf(node).flow(call);
}

function trace(flow: Flow, start: AxisRef, layout: Layout): Reach {
  const reached = new Map<string, { ref: AxisRef; layout: Layout }>();
  const queue = [{ ref: start, layout }];
  const loose = new Set((flow.ends ?? []).map(at));
  for (let visit = queue.shift(); visit !== undefined; visit = queue.shift()) {
    const key = at(visit.ref);
    const known = reached.get(key);
    if (known !== undefined) {
      if (!sameLayout(known.layout, visit.layout)) return { refused: "two different ways" };
      continue;
    }
    reached.set(key, visit);
    const block = flow.blocked?.find((one) => at(one.at) === key);
    if (block !== undefined) return { refused: block.reason };
    const ties = flow.ties.flatMap((tie: Tie) => [
      ...(at(tie.a) === key ? [{ to: tie.b, carry: tie.forward }] : []),
      ...(at(tie.b) === key ? [{ to: tie.a, carry: tie.backward }] : []),
    ]);
    if (ties.length === 0 && !loose.has(key)) return { refused: "not carried" };
    for (const { to, carry } of ties) {
      const carried = carry === undefined ? visit.layout : carry(visit.layout);
      if ("blocked" in carried) return { refused: carried.blocked };
      if (carried.some((block) => "inner" in block)) queue.push({ ref: to, layout: carried });
    }
  }
  return reached;
}

async function run(node: Node, inputs: readonly (Tensor | undefined)[]): Promise<readonly Tensor[]> {
  const graph = newGraph();
  const feeds: Record<string, Tensor> = {};
  inputs.forEach((tensor, index) => {
    if (tensor === undefined) return;
    // Kept as a parameter where its values matter to the shape rule.
    if (tensor.dtype === "int64") graph.parameter(inputName(index), tensor);
    else feeds[graph.input(inputName(index), { dtype: tensor.dtype, shape: tensor.dims })] = tensor;
  });
  graph.add(node);
  for (const name of node.outputs) graph.output(name);
  const session = await Session.create(encodeModel(makeModel(graph.build("call"))));
  const results = await session.run(feeds, Object.fromEntries(node.outputs.map((name) => [name, null])));
  await session.release();
  return node.outputs.map((name) => results[name] as Tensor);
}

function describe(test: GradientCase, { side, index, axis }: AxisRef, layout: Layout): string {
  const inputs = test.inputs.map((tensor) =>
    tensor?.dtype === "int64" ? `{${tensor.data}}` : `[${tensor?.dims ?? "–"}]`,
  );
  return `${test.op}(${inputs}) ${JSON.stringify(test.attributes ?? {})}, ${side} ${index} axis ${axis} as ${JSON.stringify(layout)}`;
}
