import { growthIndices, layoutSize, unitPositions } from "../../graph/layout.ts";
import { type Graph, type Model, withParameters } from "../../graph/model.ts";
import type { Role } from "../../ops/rules/axis-rule.ts";
import { replaceAxis, take } from "../../tensor/axis.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { Random } from "../../tensor/random.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { fillChosen } from "../plan/choice.ts";
import { fillWith } from "../plan/fill.ts";
import { IndexedGraph, type Patch } from "../plan/indexed-graph.ts";
import { Lists } from "../plan/lists.ts";
import type { GrowthPlan, RepairEdit } from "../plan/plan.ts";
import { changeReal, isReal, type Reals } from "../plan/real-parameter.ts";
import { rewriteGraph, type SizeRewrite } from "../plan/rewrite.ts";
import { Slices } from "../plan/slices.ts";
import type { Strategy } from "../plan/strategy.ts";
import type { WidthPart } from "../plan/width.ts";

/** Zeros where the plan puts new slices, in a new tensor. Optimizer moments and age vectors grow by this alone. */
export function insertZeros<T extends Tensor>(tensor: T, edit: WidthPart, plan: GrowthPlan): T {
  return take(tensor, edit.axis, growthIndices(edit.layout, plan.from, plan.to - plan.from)) as T;
}

/** Puts zeros into a tensor for one edit of a plan. */
export type Insert = (tensor: Tensor, edit: WidthPart, plan: GrowthPlan) => Tensor;

/** The edits that touch one parameter. */
export function editsOf(plan: GrowthPlan, parameter: string): readonly WidthPart[] {
  return plan.edits.filter((edit) => edit.parameter === parameter);
}

/** If a parameter grows on two axes, later roles overwrite earlier ones: a zero outgoing corner must win. */
export const fillOrder: readonly Role[] = ["incoming", "shift", "scale", "offset", "outgoing"];

/** The capacity of one WebAssembly memory, and of one ONNX file of parameters: 4 GiB of float32. */
export const maxEntries = 2 ** 30;

/** The shape of a parameter after growth. */
export function grownDims(plan: GrowthPlan, parameter: string, dims: readonly number[]): readonly number[] {
  return dimsAfter(editsOf(plan, parameter), plan, dims);
}

function dimsAfter(
  edits: readonly WidthPart[],
  { to }: GrowthPlan,
  dims: readonly number[],
): readonly number[] {
  return edits.reduce((before, { axis, layout }) => replaceAxis(before, axis, layoutSize(layout, to)), dims);
}

/** Throws `TOO_LARGE` before anything is allocated. */
export function checkSizes({ parameters }: Pick<Graph, "parameters">, plan: GrowthPlan): void {
  const edits = new Lists<WidthPart>();
  for (const edit of plan.edits) edits.add(edit.parameter, edit);
  for (const parameter of edits.keys()) {
    const entries = sizeOf(dimsAfter(edits.at(parameter), plan, parameters.get(parameter)?.dims ?? []));
    if (entries <= maxEntries) continue;
    throw new EspalierError("TOO_LARGE", {
      thing: `parameter "${parameter}" with ${plan.to} units of ${plan.width}`,
      rule: `may have at most ${maxEntries} entries`,
      received: entries,
      remedy: "Widen by fewer units.",
    });
  }
}

/**
 * Grows a model: its parameters, the sizes written in it, and the repairs that keep its normalizations the same. Pure
 * (neither the model nor its tensors change), unless `insert` works in place. Throws `UNSUPPORTED_TYPE`, `TOO_LARGE` or
 * `NOT_GROWABLE`.
 */
export function applyPlan(
  model: Model,
  plan: GrowthPlan,
  strategy: Strategy,
  insert: Insert = insertZeros,
): Model {
  checkSizes(model.graph, plan);
  return withSizes(model, growParameters(model.graph, plan, strategy, insert), plan);
}

/** What {@link applyPlan} changes in a graph. */
export function growthPatch(graph: IndexedGraph, plan: GrowthPlan, strategy: Strategy): Patch {
  checkSizes(graph, plan);
  return sizePatch(graph, growParameters(graph, plan, strategy, insertZeros), plan);
}

/** The parameters that a plan changes. */
function growParameters(
  { parameters }: Pick<Graph, "parameters">,
  plan: GrowthPlan,
  strategy: Strategy,
  insert: Insert,
): Map<string, Tensor> {
  const changed = new Map<string, Tensor>();
  const edits = [...plan.edits].sort((a, b) => fillOrder.indexOf(a.role) - fillOrder.indexOf(b.role));
  for (const edit of edits) {
    const tensor = realParameter(changed.has(edit.parameter) ? changed : parameters, edit.parameter);
    const fill = fillWith(edit.fill, edit.role, strategy);
    const grown = changeReal(insert(tensor, edit, plan), (values) => {
      const slices = new Slices(edit.parameter, values, edit.axis, unitPositions(edit.layout, plan.to));
      if (!fillChosen(slices, edit, plan)) {
        fill({
          slices,
          oldUnits: plan.from,
          newUnits: plan.to - plan.from,
          random: (unit) => generatorOf(plan, edit.parameter, unit),
          shared: (unit) => generatorOf(plan, `width ${plan.width}`, unit),
        });
      }
      clearBlocks(slices, edit, plan);
    });
    changed.set(edit.parameter, grown);
  }
  return changed;
}

/** The model with the resized parameters, its nodes rewritten as sizes and repairs require. */
export function withSizes(model: Model, changed: ReadonlyMap<string, Tensor>, rewrite: SizeRewrite): Model {
  const { graph } = model;
  const borders = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name));
  const inside = rewrite.carried.every(({ value }) => !borders.has(value));
  if (inside && rewrite.numbers.length === 0 && rewrite.repairs.length === 0) {
    return withParameters(model, new Map([...graph.parameters, ...changed]));
  }
  const indexed = new IndexedGraph(graph);
  indexed.apply(sizePatch(indexed, changed, rewrite));
  return { ...model, graph: indexed.toGraph() };
}

/** What changes in a graph with the resized parameters. */
export function sizePatch(
  graph: IndexedGraph,
  changed: ReadonlyMap<string, Tensor>,
  rewrite: SizeRewrite,
): Patch {
  return rewriteGraph(graph, repaired(graph, changed, rewrite.repairs), rewrite);
}

/** The changed parameters, with the repairs' factors applied to those that they name. */
function repaired(
  graph: IndexedGraph,
  changed: ReadonlyMap<string, Tensor>,
  repairs: readonly RepairEdit[],
): ReadonlyMap<string, Tensor> {
  const parameters = new Map(changed);
  for (const { node, target, factor } of repairs) {
    if (!("input" in target)) continue;
    const name = graph.inputOf(node, target.input);
    const copy = { ...realParameter(parameters.has(name) ? parameters : graph.parameters, name) };
    const scale = (values: Reals) => {
      values.data.forEach((value, index) => {
        values.data[index] = value * factor;
      });
    };
    parameters.set(name, changeReal({ ...copy, data: copy.data.slice() }, scale));
  }
  return parameters;
}

/** Each growth picks from its own stream of draws: the next one must not be offered what this one rejected. */
function generatorOf({ seed, choice, from, born = from }: GrowthPlan, what: string, unit: number): Random {
  const pick = choice?.picks?.[unit - from];
  // Some fills also draw for old units; those draws are numbered by position.
  return pick === undefined
    ? new Random(seed, `grow ${what}`, unit < from ? unit : born + unit - from)
    : new Random(seed, `candidates at ${born} of ${what}`, pick);
}

/** Zeros the new slices of the blocks that must be zero, whatever the others were filled with. */
function clearBlocks(slices: Slices, { layout, zeroBlocks = [] }: WidthPart, plan: GrowthPlan): void {
  if (zeroBlocks.length === 0) return;
  // A unit's positions are ordered block by block.
  const owners = layout
    .flatMap((block) => ("inner" in block ? [block.inner] : []))
    .flatMap((inner, block) => Array.from({ length: inner }, () => block));
  const each = slices.length / owners.length;
  for (let unit = plan.from; unit < plan.to; unit++) {
    slices.map(unit, (value, index) =>
      zeroBlocks.includes(owners[Math.floor(index / each)] as number) ? 0 : value,
    );
  }
}

/** The parameter of that name. Throws `UNSUPPORTED_TYPE` if its type is not one of weights. */
export function realParameter(parameters: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = parameters.get(name);
  if (tensor !== undefined && isReal(tensor.dtype)) return tensor;
  throw new EspalierError("UNSUPPORTED_TYPE", {
    thing: `parameter "${name}"`,
    rule: "must contain floating-point numbers to change its size",
    received: tensor?.dtype ?? "nothing",
  });
}
