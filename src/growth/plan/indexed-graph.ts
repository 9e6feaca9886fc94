import type { Graph, Node, Value, ValueType } from "../../graph/model.ts";
import { needsOf } from "../../graph/order.ts";
import { inferGraph, inferInto, type Stated, statedTypes } from "../../ops/infer.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** What a growth changes in a graph. */
export interface Patch {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** The nodes that replace those at a position, by position. */
  readonly nodes: ReadonlyMap<number, readonly Node[]>;
  /** Parameters that nothing reads anymore. */
  readonly gone: readonly string[];
  /** Parameters that are new or changed; may bring back one that is gone. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** The types that are new or changed, by value. */
  readonly types: ReadonlyMap<string, ValueType>;
}

/**
 * A graph that can be changed in place, and knows for each value which nodes make and read it. A position is the index
 * of a node in the original graph; after a patch it may have several nodes.
 */
export class IndexedGraph {
  readonly #graph: Graph;
  readonly #nodes: (readonly Node[])[];
  readonly #parameters: Map<string, Tensor>;
  readonly #types: Map<string, ValueType>;
  readonly #names: Set<string>;
  readonly #makers = new Map<string, number>();
  readonly #readers = new Map<string, Set<number>>();
  /** By name, the smallest suffix that may still be free. */
  readonly #counts = new Map<string, number>();
  /** Nodes whose operators' rules give the types of their outputs. */
  readonly #typed: Set<Node>;
  #stated: Stated;
  #inputs: readonly Value[];
  #outputs: readonly Value[];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#inputs = graph.inputs;
    this.#outputs = graph.outputs;
    this.#parameters = new Map(graph.parameters);
    const { types, ruled } = inferGraph(graph);
    this.#types = types;
    this.#stated = statedTypes(graph);
    this.#typed = new Set(ruled);
    this.#nodes = graph.nodes.map((node) => [node]);
    this.#names = new Set(this.#types.keys());
    this.#nodes.forEach((nodes, position) => {
      this.#enter(nodes, position);
    });
  }

  get inputs(): readonly Value[] {
    return this.#inputs;
  }

  get outputs(): readonly Value[] {
    return this.#outputs;
  }

  get parameters(): ReadonlyMap<string, Tensor> {
    return this.#parameters;
  }

  get types(): ReadonlyMap<string, ValueType> {
    return this.#types;
  }

  /** Whether the rules of a node's operator give the types of its outputs. */
  isTyped(node: Node): boolean {
    return this.#typed.has(node);
  }

  /** The types of a node's outputs, from the given types and parameters, which take precedence over this graph's. */
  infer(
    node: Node,
    types: IndexedGraph["types"] = this.#types,
    parameters: IndexedGraph["parameters"] = this.#parameters,
  ): { readonly made: ReadonlyMap<string, ValueType>; readonly typed: boolean } {
    const of = <T>(own: ReadonlyMap<string, T>, all: ReadonlyMap<string, T>) =>
      new Map(
        node.inputs.flatMap((name): [string, T][] => {
          const found = own.get(name) ?? all.get(name);
          return found === undefined ? [] : [[name, found]];
        }),
      );
    const made = of(types, this.#types);
    const typed = inferInto(made, node, of(parameters, this.#parameters), this.#stated);
    return { made, typed };
  }

  /** The number of positions. */
  get length(): number {
    return this.#nodes.length;
  }

  nodesAt(position: number): readonly Node[] {
    return this.#nodes[position] ?? [];
  }

  /** Position where a value is made; undefined for inputs and parameters. */
  makerOf(value: string): number | undefined {
    return this.#makers.get(value);
  }

  /** The node that makes a value. */
  nodeOf(value: string): Node | undefined {
    const position = this.#makers.get(value);
    return position === undefined
      ? undefined
      : this.nodesAt(position).find(({ outputs }) => outputs.includes(value));
  }

  /** The name of input `index` of the node that makes a value; "" if there is none. */
  inputOf(value: string, index: number): string {
    return this.nodeOf(value)?.inputs[index] ?? "";
  }

  /** Positions where a value is read, by bodies of nodes too; unordered. */
  readersOf(value: string): ReadonlySet<number> {
    return this.#readers.get(value) ?? nowhere;
  }

  /** Positions where a value is made or read, in order. */
  touching(value: string): readonly number[] {
    const maker = this.#makers.get(value);
    const positions = [...this.readersOf(value)];
    if (maker !== undefined && !this.readersOf(value).has(maker)) positions.push(maker);
    return positions.sort((a, b) => a - b);
  }

  /** The name, or else the first numbered variant of it, that neither the graph nor `taken` has. */
  freeName(name: string, taken: ReadonlySet<string>): string {
    const isFree = (candidate: string) => !this.#names.has(candidate) && !taken.has(candidate);
    if (isFree(name)) return name;
    let count = this.#counts.get(name) ?? 2;
    while (this.#names.has(`${name}.${count}`)) count++;
    this.#counts.set(name, count);
    while (!isFree(`${name}.${count}`)) count++;
    return `${name}.${count}`;
  }

  apply({ inputs, outputs, nodes, gone, parameters, types }: Patch): void {
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#stated = statedTypes({ ...this.#graph, outputs });
    for (const position of nodes.keys()) this.#leave(position);
    for (const name of gone) {
      this.#parameters.delete(name);
      this.#drop(name);
    }
    for (const [name, tensor] of parameters) this.#parameters.set(name, tensor);
    for (const [name, type] of types) {
      this.#types.set(name, type);
      this.#names.add(name);
    }
    for (const [position, now] of nodes) {
      this.#nodes[position] = now;
      this.#enter(now, position);
      for (const node of now) {
        if (this.infer(node).typed) this.#typed.add(node);
      }
    }
  }

  toGraph(): Graph {
    return {
      ...this.#graph,
      inputs: this.#inputs,
      outputs: this.#outputs,
      nodes: this.#nodes.flat(),
      parameters: new Map(this.#parameters),
    };
  }

  #enter(nodes: readonly Node[], position: number): void {
    for (const node of nodes) {
      for (const name of node.outputs) {
        if (name === "") continue;
        this.#makers.set(name, position);
        this.#names.add(name);
      }
      for (const name of needsOf(node)) {
        if (name === "") continue;
        const readers = this.#readers.get(name);
        if (readers === undefined) this.#readers.set(name, new Set([position]));
        else readers.add(position);
      }
    }
  }

  #leave(position: number): void {
    for (const node of this.nodesAt(position)) {
      for (const name of node.outputs) this.#makers.delete(name);
      for (const name of needsOf(node)) this.#readers.get(name)?.delete(position);
    }
  }

  #drop(name: string): void {
    this.#types.delete(name);
    this.#names.delete(name);
    // A numbered name that is free again may now be the first free one.
    const dot = name.lastIndexOf(".");
    if (dot > 0) this.#counts.delete(name.slice(0, dot));
  }
}

const nowhere: ReadonlySet<number> = new Set();
