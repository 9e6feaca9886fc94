import type { Feeds } from "../../engine/session.ts";
import type { Model, Node, Value } from "../../graph/model.ts";
import { isLarge, type WeightsApart } from "../../models/weights-apart.ts";
import { opsetOf } from "../../ops/rewrites/upgrade.ts";
import { int64, type Tensor } from "../../tensor/tensor.ts";

/** Opset from which Slice takes its limits as inputs. */
const oldest = 10;

/** A model that multiplies some of its weights by factors, which it takes as inputs as well. */
export interface ShakenWeights {
  readonly model: Model;
  /** The weights that it multiplies. */
  readonly large: Feeds;
  /** Its other weights. */
  readonly small: Feeds;
  /** By weight, the input for its factors and how many it takes: they repeat along the weight's entries. */
  readonly factors: ReadonlyMap<string, { readonly input: string; readonly length: number }>;
}

/**
 * Lets the graph multiply the large weights, one at a time and just before each is read: a copy of all weights would take as
 * much memory as the model. A float32 times a factor of 1 ± 2^-k is rounded once, as it would be in JavaScript.
 */
export function shakenWeights({ model, weights }: WeightsApart, period: number): ShakenWeights {
  const large = Object.entries(weights).filter(([name, tensor]) => isLarge(name, tensor));
  if (opsetOf(model) < oldest || large.length === 0)
    return { model, large: {}, small: weights, factors: new Map() };
  const { graph } = model;
  const prefix = freePrefix(model);
  const renamed = new Map(large.map(([name], index) => [name, `${prefix}${index}`]));
  const parameters = new Map<string, Tensor>([...graph.parameters, [`${prefix}zero`, int64([1], [0])]]);
  const nodes: Node[] = [];
  const inputs: Value[] = graph.inputs.map((input) => ({
    ...input,
    name: renamed.get(input.name) ?? input.name,
  }));
  const factors = new Map<string, { input: string; length: number }>();
  for (const [name, { dims, data }] of large) {
    const own = renamed.get(name) as string;
    const length = Math.min(period, data.length);
    const part = (what: string) => `${own}.${what}`;
    const add = (op: string, from: readonly string[], output: string) => {
      nodes.push({ name: output, op, domain: "", inputs: from, outputs: [output], attributes: {} });
      return output;
    };
    const constant = (what: string, values: readonly number[]) => {
      parameters.set(part(what), int64([values.length], values));
      return part(what);
    };
    const input = part("factors");
    inputs.push({ name: input, dtype: "float32", shape: [length] });
    const repeated = add(
      "Tile",
      [input, constant("times", [Math.ceil(data.length / length)])],
      part("tiled"),
    );
    const cut = add("Slice", [repeated, `${prefix}zero`, constant("length", [data.length])], part("cut"));
    const shaped = add("Reshape", [cut, constant("dims", dims)], part("shaped"));
    add("Mul", [own, shaped], name);
    factors.set(name, { input, length });
  }
  // Listed first, they run last: see `weightsFirst`.
  return {
    model: { ...model, graph: { ...graph, inputs, parameters, nodes: [...nodes, ...graph.nodes] } },
    large: Object.fromEntries(large.map(([name, tensor]) => [renamed.get(name), tensor])),
    small: Object.fromEntries(Object.entries(weights).filter(([name]) => !renamed.has(name))),
    factors,
  };
}

/** What no name in the graph begins with. */
function freePrefix({ graph }: Model): string {
  const names = [
    ...graph.inputs.map(({ name }) => name),
    ...graph.parameters.keys(),
    ...graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
  ];
  let prefix = "shaken";
  while (names.some((name) => name.startsWith(prefix))) prefix += "_";
  return prefix;
}
