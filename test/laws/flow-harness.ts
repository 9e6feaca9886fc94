import { Session } from "../../src/engine/session.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import { growthIndices, type Layout, layoutDim, layoutSize } from "../../src/graph/layout.ts";
import type { Graph, Node } from "../../src/graph/model.ts";
import { type AxisMap, axisKey, flowMap } from "../../src/growth/find/axis-map.ts";
import { followContents } from "../../src/growth/find/follow-contents.ts";
import { type Start, type Trace, traceWidth, type Visit } from "../../src/growth/find/trace.ts";
import { IndexedGraph } from "../../src/growth/plan/indexed-graph.ts";
import { rewriteGraph } from "../../src/growth/plan/rewrite.ts";
import type { NodeRepair } from "../../src/growth/plan/width.ts";
import { newGraph } from "../../src/ops/index.ts";
import type { Contents } from "../../src/ops/rules/contents.ts";
import { take } from "../../src/tensor/axis.ts";
import { isFloat } from "../../src/tensor/dtype.ts";
import { Random } from "../../src/tensor/random.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { fillUnits, unitsOf } from "./fresh-units.ts";
import { type GradientCase, modelOf } from "./gradient-harness.ts";

const inputName = (index: number) => `x${index}`;
const outputName = (index: number) => `y${index}`;

/** The choices of a check: where it starts, and what new units contain, by input. */
export interface FlowChoice {
  readonly axis: number;
  readonly layout: number;
  readonly by: number;
  readonly contents: readonly Contents[];
  readonly seed: number;
}

/** A growth of one call: `to` units, and what its new units contain in each value, by axis. */
interface Growth {
  readonly trace: Trace;
  readonly from: number;
  readonly to: number;
  readonly fresh: ReadonlyMap<string, Contents>;
  readonly repairs: readonly NodeRepair[];
}

/**
 * Grows one axis of one call and everything that its flow rule ties to it; new units contain what `choice`
 * says. The grown call must be valid, have the predicted sizes, give the old output at the old positions, and
 * contain what the rule says at the new ones. Returns "grown", or the reason if the rule refuses.
 */
export async function checkFlow(test: GradientCase, choice: FlowChoice): Promise<string> {
  const graph = graphOf(test);
  const flows = flowMap(graph);
  const start = startOf(test, flows, choice);
  if (start === undefined) return "has no axis";
  const trace = traceWidth(flows, start);
  // Another cut that the rule offers must cover its axis, and may itself be refused.
  for (const cut of trace.cuts) {
    const size = flows.types.get(cut.value)?.shape[cut.axis];
    if (size !== undefined && layoutSize(cut.layout, cut.units) !== size) {
      throw new Error(`${describe(test, cut)}: offered for an axis of ${size}`);
    }
    const offered = traceWidth(flows, cut);
    if (offered.reasons.length === 0) await checkTrace(test, graph, flows, offered, choice);
  }
  return trace.reasons[0] ?? (await checkTrace(test, graph, flows, trace, choice));
}

async function checkTrace(
  test: GradientCase,
  graph: Graph,
  flows: AxisMap,
  trace: Trace,
  choice: FlowChoice,
): Promise<string> {
  const fresh = new Map<string, Contents>();
  const visited = new Set<string>();
  for (const [key, { value }] of trace.visits) {
    const index = test.inputs.findIndex((_, at) => inputName(at) === value);
    if (index < 0) continue;
    if (visited.has(value)) return "reaches one input on two axes";
    visited.add(value);
    const tensor = test.inputs[index] as Tensor;
    const kind = choice.contents[index % choice.contents.length] as Contents;
    fresh.set(key, isFloat(tensor.dtype) ? kind : kind === "zero" || kind === "copy" ? kind : "any");
  }
  const held = [...fresh.values()];
  const whole = held.includes("copy") || held.includes("part");
  const from = trace.start.units;
  const to = from + (whole ? from * (1 + (choice.by % 2)) : choice.by);
  const contents = followContents(flows, trace, fresh, new Set());
  if ("blocked" in contents) return contents.blocked;
  const growth: Growth = { trace, from, to, fresh, repairs: contents.repairs };
  const count = test.outputs ?? 1;
  const before = await run(test, graph, count);
  const after = await run(test, grow(graph, flows, growth, new Random(choice.seed, "new units")), count);
  for (const [index, result] of after.entries()) {
    const problem = compare(outputName(index), before[index] as Tensor, result, growth);
    if (problem !== undefined) {
      const kinds = [...fresh].map(([key, kind]) => `${key} ${kind}`).join(", ");
      throw new Error(`${describe(test, trace.start)}, ${from} -> ${to}, ${kinds}: ${problem}`);
    }
  }
  return "grown";
}

/** The grown call: its inputs, and the sizes and numbers that the rule rewrites. */
function grow(graph: Graph, flows: AxisMap, growth: Growth, random: Random): Graph {
  const { trace, from, to, fresh, repairs } = growth;
  const indexed = new IndexedGraph(graph);
  const grown = new Map<string, Tensor>();
  for (const [key, { value, axis, layout }] of trace.visits) {
    const tensor = grown.get(value) ?? graph.parameters.get(value);
    if (tensor === undefined) continue;
    const units = { axis, layout, from, to };
    grown.set(value, fillUnits(tensor, units, fresh.get(key) as Contents, random));
  }
  for (const { node, target, power } of repairs) {
    if (!("input" in target)) continue;
    const name = indexed.inputOf(node, target.input);
    const tensor = (grown.get(name) ?? graph.parameters.get(name)) as Tensor<"float32">;
    grown.set(name, { ...tensor, data: tensor.data.map((value) => value * (from / to) ** power) });
  }
  const numbers = flows.nodes.flatMap(({ node, flow, nameOf }) =>
    (flow.written ?? []).flatMap(({ at, place, becomes = layoutDim }) => {
      const visit = trace.visits.get(axisKey(nameOf(at), at.axis));
      if (visit === undefined) return [];
      return [{ node: node.outputs[0] as string, ...place, to: becomes(visit.layout, to) }];
    }),
  );
  const edits = repairs.map(({ node, target, power }) => ({ node, target, factor: (from / to) ** power }));
  const carried = [...trace.visits.values()];
  indexed.apply(rewriteGraph(indexed, grown, { from, to, numbers, repairs: edits, carried }));
  return indexed.toGraph();
}

/** What is wrong with a grown output; undefined if nothing is. */
function compare(name: string, before: Tensor, after: Tensor, growth: Growth): string | undefined {
  const { trace, from, to, fresh } = growth;
  const reached = before.dims.flatMap((_, axis): readonly (readonly [string, Visit])[] => {
    const key = axisKey(name, axis);
    const visit = trace.visits.get(key);
    return visit === undefined ? [] : [[key, visit]];
  });
  let [old, predicted] = [after, [...before.dims]];
  for (const [, { axis, layout }] of reached) {
    predicted = predicted.with(axis, layoutSize(layout, to));
  }
  if (`${after.dims}` !== `${predicted}`) return `${name} is [${after.dims}], not [${predicted}]`;
  for (const [, { axis, layout }] of reached) {
    const indices = growthIndices(layout, from, to - from);
    const places = Array.from({ length: before.dims[axis] as number }, (_, at) => indices.indexOf(at));
    old = take(old, axis, places);
  }
  const [only, second] = reached;
  const kind = only === undefined ? undefined : fresh.get(only[0]);
  if (kind !== "part") {
    const differs = difference(old.data, before.data);
    if (differs !== undefined) return `${name}, old positions: ${differs}`;
  }
  if (only === undefined || second !== undefined || kind === undefined) return undefined;
  const { axis, layout } = only[1];
  const units = { name, units: unitsOf(after, axis, layout, to), old: unitsOf(before, axis, layout, from) };
  return heldBy(units, kind, [...fresh.values()].includes("mean"));
}

/** What is wrong with the new units of an output that should contain `kind`. */
function heldBy(
  { name, units, old }: { name: string; units: readonly number[][]; old: readonly number[][] },
  kind: Contents,
  rounded: boolean,
): string | undefined {
  const added = units.slice(old.length);
  const problem = (expected: (unit: number) => readonly number[]) => {
    for (const [unit, values] of added.entries()) {
      const differs = difference(values, expected(unit));
      if (differs !== undefined) return `${name}, new unit ${unit} holds no ${kind}: ${differs}`;
    }
    return undefined;
  };
  const sum = (lists: readonly (readonly number[])[]) =>
    (lists[0] ?? []).map((_, at) => lists.reduce((total, list) => total + (list[at] as number), 0));
  switch (kind) {
    case "zero":
      // A mean is rounded, and so is the difference from it.
      if (rounded) return problem((unit) => (added[unit] as readonly number[]).map(() => 0));
      return added.flat().some((value) => value !== 0) ? `${name}, new units are not zero` : undefined;
    case "mean":
      return problem(() => sum(old).map((value) => value / old.length));
    case "copy":
      return problem((unit) => old[unit % old.length] as readonly number[]);
    case "part": {
      const totals = old.map((_, unit) => sum(units.filter((_, at) => at % old.length === unit)));
      const differs = difference(totals.flat(), old.flat());
      return differs === undefined ? undefined : `${name}, parts do not add up: ${differs}`;
    }
    case "any":
      return added.flat().every(Number.isFinite) ? undefined : `${name}, new units are not finite`;
  }
}

/**
 * The first entry that differs by more than another order of summation, or vector code and its scalar tail,
 * can explain.
 */
function difference(actual: ArrayLike<number | bigint>, expected: ArrayLike<number | bigint>) {
  for (let at = 0; at < expected.length; at++) {
    const [is, was] = [Number(actual[at]), Number(expected[at])];
    if (is === was || (Number.isNaN(is) && Number.isNaN(was))) continue;
    if (!(Math.abs(is - was) <= 1e-5 * (1 + Math.abs(was)))) return `entry ${at} was ${was}, is ${is}`;
  }
  return undefined;
}

/** One axis of an input (not of indices and shapes) or output, cut into units in one of the possible ways. */
function startOf(test: GradientCase, flows: AxisMap, choice: FlowChoice): Start | undefined {
  const values = [
    ...test.inputs.flatMap((tensor, at) =>
      tensor === undefined || tensor.dtype === "int64" ? [] : [inputName(at)],
    ),
    ...Array.from({ length: test.outputs ?? 1 }, (_, at) => outputName(at)),
  ];
  const axes = values.flatMap((value) =>
    (flows.types.get(value)?.shape ?? []).map((size, axis) => ({ value, axis, size: Number(size) })),
  );
  if (axes.length === 0) return undefined;
  const { size, ...at } = axes[choice.axis % axes.length] as (typeof axes)[number];
  const cuts = layoutsOf(size);
  return { ...at, ...(cuts[choice.layout % cuts.length] as (typeof cuts)[number]) };
}

/** Ways to cut an axis of `size` positions into units. */
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

/** The call as a graph in which all values are known. */
function graphOf(test: GradientCase): Graph {
  const graph = newGraph();
  test.inputs.forEach((tensor, index) => {
    if (tensor !== undefined) graph.parameter(inputName(index), tensor);
  });
  const node: Node = {
    name: "checked",
    op: test.op,
    domain: test.domain ?? "",
    inputs: test.inputs.map((tensor, index) => (tensor === undefined ? "" : inputName(index))),
    outputs: Array.from({ length: test.outputs ?? 1 }, (_, index) => outputName(index)),
    attributes: test.attributes ?? {},
  };
  graph.add(node);
  return graph.build("call");
}

async function run(test: GradientCase, graph: Graph, count: number): Promise<readonly Tensor[]> {
  const names = Array.from({ length: count }, (_, index) => outputName(index));
  const whole = newGraph();
  const feeds: Record<string, Tensor> = {};
  for (const [name, tensor] of graph.parameters) {
    // The others become parameters: their values may matter to the shape rule.
    if (name !== inputName(0) || tensor.dtype === "int64") whole.parameter(name, tensor);
    else feeds[whole.input(name, { dtype: tensor.dtype, shape: tensor.dims })] = tensor;
  }
  for (const node of graph.nodes) whole.add(node);
  for (const name of names) whole.output(name);
  const session = await Session.create(encodeModel(modelOf(test, whole, "call")));
  const results = await session.run(feeds, Object.fromEntries(names.map((name) => [name, null])));
  await session.release();
  return names.map((name) => results[name] as Tensor);
}

function describe(test: GradientCase, { value, axis, layout }: Start): string {
  const inputs = test.inputs.map((tensor) =>
    tensor?.dtype === "int64" ? `{${tensor.data}}` : `[${tensor?.dims ?? "–"}]`,
  );
  return `${test.op}(${inputs}) ${JSON.stringify(test.attributes ?? {})}, ${value} axis ${axis} as ${JSON.stringify(layout)}`;
}
