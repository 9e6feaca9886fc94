import { defaultOpset, type Graph, type Node, type Subgraph, type Value } from "../../graph/model.ts";
import { needsOf } from "../../graph/order.ts";
import type { Role } from "../../ops/rules/axis-rule.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { IndexedGraph, type Patch } from "../plan/indexed-graph.ts";
import type { Lists } from "../plan/lists.ts";
import {
  axisKey,
  type NodeFlow,
  type NodeRules,
  type Picked,
  type RuleStep,
  rulesOf,
  type Seed,
  type Surroundings,
} from "./node-rules.ts";

export { axisKey, type NodeFlow, type Picked, type RuleStep as Step, type Seed } from "./node-rules.ts";

/**
 * Every operator's axis-flow rule, applied to a graph. When the graph is changed in place, the rules of the affected
 * nodes are asked again.
 */
export class AxisMap {
  readonly graph: IndexedGraph;
  readonly #around: Surroundings;
  readonly #constants: Set<string>;
  /** By position. */
  readonly #rules: (readonly NodeRules[])[] = [];
  #borders: ReadonlyMap<string, string>;
  #watched: Set<number> | undefined;
  readonly #unruled = new Set<Node>();
  #epoch = {};

  /** `opset` is the version that the graph is written in. */
  constructor(graph: IndexedGraph, opset: number) {
    this.graph = graph;
    this.#constants = new Set(graph.parameters.keys());
    this.#around = {
      types: graph.types,
      parameters: graph.parameters,
      constants: this.#constants,
      opset,
      isTyped: (node) => graph.isTyped(node),
    };
    this.#borders = bordersOf(graph);
    for (let position = 0; position < graph.length; position++) this.#ask(position);
  }

  get types(): IndexedGraph["types"] {
    return this.graph.types;
  }

  get parameters(): IndexedGraph["parameters"] {
    return this.graph.parameters;
  }

  /** Values that depend on parameters alone. */
  get constants(): ReadonlySet<string> {
    return this.#constants;
  }

  /** In graph order. */
  get nodes(): readonly NodeFlow[] {
    return this.#rules.flatMap(flowsOf);
  }

  /** Whether espalier has rules for a node in this form. */
  isRuled(node: Node): boolean {
    return !this.#unruled.has(node);
  }

  /** The same object until a parameter that is a single number changes. */
  get epoch(): object {
    return this.#epoch;
  }

  /** In node order. */
  get seeds(): readonly Seed[] {
    return this.#rules.flatMap((rules) => rules.flatMap(({ seeds }) => seeds));
  }

  /** The nodes that make or read one of the values, in order. */
  nodesOn(values: Iterable<string>): readonly NodeFlow[] {
    const wanted = new Set(values);
    const positions = new Set<number>();
    for (const value of wanted) for (const position of this.#touching(value)) positions.add(position);
    const touches = ({ node }: NodeFlow) =>
      node.inputs.some((name) => wanted.has(name)) || node.outputs.some((name) => wanted.has(name));
    return [...positions]
      .sort((a, b) => a - b)
      .flatMap((position) => flowsOf(this.#rules[position] as readonly NodeRules[]).filter(touches));
  }

  /** Steps that leave an axis of a value. */
  stepsFrom(value: string, axis: number): readonly RuleStep[] {
    return this.#at(value, axis, ({ steps }) => steps);
  }

  /** Values that contain single positions of an axis. */
  picksOf(value: string, axis: number): readonly Picked[] {
    return this.#at(value, axis, ({ picks }) => picks);
  }

  /** Why an axis of a value must not grow. */
  blocksAt(value: string, axis: number): readonly string[] {
    return this.#at(value, axis, ({ blocks }) => blocks);
  }

  /** The roles that nodes give an axis of a parameter. */
  rolesAt(value: string, axis: number): readonly Role[] {
    return this.#at(value, axis, ({ roles }) => roles);
  }

  /** The model's input or output that an axis belongs to, in words. */
  borderAt(value: string, axis: number): string | undefined {
    return axis < (this.types.get(value)?.shape.length ?? 0) ? this.#borders.get(value) : undefined;
  }

  /** Calls `act`, and records the positions of the nodes whose rules it asked. */
  watch<T>(act: () => T): { readonly result: T; readonly positions: Iterable<number> } {
    const positions = new Set<number>();
    this.#watched = positions;
    try {
      return { result: act(), positions };
    } finally {
      this.#watched = undefined;
    }
  }

  /** Changes the graph. Returns the positions whose rules may have changed. */
  apply(patch: Patch): ReadonlySet<number> {
    const touched = new Set(patch.nodes.keys());
    const visit = (value: string) => {
      for (const position of this.graph.touching(value)) touched.add(position);
    };
    patch.gone.forEach(visit);
    const isSingle = (name: string) => this.parameters.get(name)?.data.length === 1;
    if ([...patch.parameters.keys()].some(isSingle)) this.#epoch = {};
    this.graph.apply(patch);
    for (const name of patch.gone) this.#constants.delete(name);
    for (const name of patch.parameters.keys()) this.#constants.add(name);
    for (const name of [...patch.types.keys(), ...patch.parameters.keys()]) visit(name);
    this.#borders = bordersOf(this.graph);
    for (const position of [...touched].sort((a, b) => a - b)) this.#ask(position);
    return touched;
  }

  #ask(position: number): void {
    this.#rules[position] = this.graph.nodesAt(position).map((node): NodeRules => {
      if (needsOf(node).every((name) => name === "" || this.#constants.has(name))) {
        for (const name of node.outputs) this.#constants.add(name);
      }
      const own = rulesOf(node, this.#around);
      if (!own.isRuled) this.#unruled.add(node);
      return { ...own, seeds: [...seedsInBodies(node, this.#around), ...own.seeds] };
    });
  }

  #touching(value: string): readonly number[] {
    const positions = this.graph.touching(value);
    if (this.#watched !== undefined) for (const position of positions) this.#watched.add(position);
    return positions;
  }

  #at<T>(value: string, axis: number, listsOf: (rules: NodeRules) => Lists<T>): readonly T[] {
    const key = axisKey(value, axis);
    return this.#touching(value).flatMap((position) =>
      (this.#rules[position] ?? []).flatMap((rules) => listsOf(rules).at(key)),
    );
  }
}

/** Asks every operator's rule. `opset` is the version that the graph is written in. */
export function flowMap(graph: Graph, opset = defaultOpset): AxisMap {
  return new AxisMap(new IndexedGraph(graph), opset);
}

function flowsOf(rules: readonly NodeRules[]): readonly NodeFlow[] {
  return rules.flatMap(({ nodeFlow }) => nodeFlow ?? []);
}

/** A value that is both an input and an output counts as an input. */
function bordersOf({ inputs, outputs }: IndexedGraph): ReadonlyMap<string, string> {
  const named = (kind: string, values: readonly Value[]) =>
    values.map(({ name }) => [name, `${kind} "${name}"`] as const);
  return new Map([...named("output", outputs), ...named("input", inputs)]);
}

/** Parameters of the enclosing graph that bodies of a node use as weights: those make widths too. */
function seedsInBodies(node: Node, { types, parameters, opset }: Surroundings): readonly Seed[] {
  const needs = needsOf(node);
  const read = needs.slice(node.inputs.length);
  const around = new Map(read.flatMap((name) => entryOf(parameters, name)));
  if (around.size === 0) return [];
  const values = read.flatMap((name) => {
    const type = around.has(name) ? undefined : types.get(name);
    return type === undefined ? [] : [{ name, ...type }];
  });
  return Object.values(node.attributes).flatMap((attribute) => {
    if (attribute.kind !== "graph") return [];
    const body = attribute.value;
    const own = new Map([...around, ...body.parameters]);
    const closed: Graph = { ...body, inputs: [...declared(body), ...values], outputs: [], parameters: own };
    try {
      return flowMap(closed, opset).seeds.filter(({ value }) => around.has(value));
    } catch (error) {
      // The body's own types do not fit. Nothing grows through a body, so nothing depends on them here.
      if (error instanceof EspalierError) return [];
      throw error;
    }
  });
}

/** The inputs of a body whose types are declared in the file. */
function declared({ inputs }: Subgraph): Graph["inputs"] {
  return inputs.flatMap((value) => {
    const { name, dtype, shape } = value;
    return dtype === undefined || shape === undefined ? [] : [{ name, dtype, shape }];
  });
}

function entryOf<V>(map: ReadonlyMap<string, V>, key: string): [string, V][] {
  const value = map.get(key);
  return value === undefined ? [] : [[key, value]];
}
