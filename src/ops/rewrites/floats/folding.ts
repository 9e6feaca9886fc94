import type { Attributes, Graph, Node } from "../../../graph/model.ts";
import { UniqueNames } from "../../../graph/unique-names.ts";
import { isFloat } from "../../../tensor/dtype.ts";
import { sizeOf, type Tensor } from "../../../tensor/tensor.ts";
import { dequantized, type Scaling } from "./dequantize.ts";

/** Operators that pass on the elements of input 0 unchanged. */
const movers: ReadonlySet<string> = new Set(
  "Flatten Gather Identity Reshape Slice Squeeze Transpose Unsqueeze".split(" "),
);

/** A graph whose quantized weights become real numbers, node by node. */
export class Folding {
  readonly #graph: Graph;
  readonly #names: UniqueNames;
  readonly #nodes: Node[] = [];
  readonly #parameters: Map<string, Tensor>;
  readonly #makers = new Map<string, Node>();
  /** What is now read instead of a value. */
  readonly #instead = new Map<string, string>();
  /** Float copies of integer values, by value and scaling. */
  readonly #copies = new Map<string, string>();
  /** Weights that are real numbers now, and the integer parameter that each was. */
  readonly #origins = new Map<string, string>();
  activations = 0;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#parameters = new Map(graph.parameters);
    this.#names = new UniqueNames([
      ...graph.inputs.map(({ name }) => name),
      ...graph.parameters.keys(),
      ...graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
    ]);
  }

  /** Integer tensors that are real numbers now. */
  get tensors(): number {
    return new Set(this.#origins.values()).size;
  }

  /** The integer parameter that a weight was made from. */
  originOf(weight: string): string | undefined {
    return this.#origins.get(weight);
  }

  graph(): Graph {
    // An output of the model keeps its name.
    const results = this.#graph.outputs.flatMap(({ name }): Node[] => {
      const instead = this.#instead.get(name);
      if (instead === undefined) return [];
      const attributes = {};
      const own = this.#names.take(`${name}.folded`);
      return [{ name: own, op: "Identity", domain: "", inputs: [instead], outputs: [name], attributes }];
    });
    return { ...this.#graph, nodes: [...this.#nodes, ...results], parameters: this.#parameters };
  }

  /** The node with its inputs replaced by their current names. */
  renamed(node: Node): Node {
    return { ...node, inputs: node.inputs.map((name) => this.#instead.get(name) ?? name) };
  }

  keep(node: Node): void {
    this.#nodes.push(node);
    for (const name of node.outputs) this.#makers.set(name, node);
  }

  /** Adds a node that makes one value, named after `output`, which it replaces. */
  replace(output: string, op: string, inputs: readonly string[], attributes: Attributes = {}): true {
    return this.alias(output, this.emit(output, op, inputs, attributes));
  }

  emit(hint: string, op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const name = this.#names.take(`${hint}.float`);
    this.keep({ name, op, domain: "", inputs, outputs: [name], attributes });
    return name;
  }

  /** All later nodes read another value instead of this one. */
  alias(value: string, instead: string): true {
    this.#instead.set(value, instead);
    return true;
  }

  makerOf(value: string | undefined): Node | undefined {
    return value === undefined ? undefined : this.#makers.get(value);
  }

  constant(name: string | undefined): Tensor | undefined {
    return name === undefined ? undefined : this.#parameters.get(name);
  }

  /** Whether a value is a weight that was made from integers. */
  isWeight(name: string): boolean {
    return this.#origins.has(name);
  }

  /** A weight that replaces integer parameter `from`, or another weight that does. */
  weight(from: string, tensor: Tensor): string {
    const origin = this.#origins.get(from) ?? from;
    const name = this.#names.take(`${origin}.float`);
    this.#parameters.set(name, tensor);
    this.#origins.set(name, origin);
    return name;
  }

  /** An integer value as real numbers if it is a parameter or moved from one; otherwise undefined. */
  floated(value: string, scaling: Scaling): string | undefined {
    const key = `${value} ${scaling.axis} ${[...(scaling.scale.data as Float32Array)].slice(0, 64).join()}`;
    const known = this.#copies.get(key);
    if (known !== undefined) return known;
    const made = this.#floated(value, scaling);
    if (made !== undefined) this.#copies.set(key, made);
    return made;
  }

  #floated(value: string, scaling: Scaling): string | undefined {
    const tensor = this.#parameters.get(value);
    if (tensor !== undefined) {
      return isFloat(tensor.dtype) ? undefined : this.weight(value, dequantized(tensor, scaling));
    }
    const maker = this.#makers.get(value);
    const isOne = sizeOf(scaling.scale.dims) === 1;
    if (maker === undefined || !isOne || !movers.has(maker.op) || maker.domain !== "") return undefined;
    const source = this.floated(maker.inputs[0] as string, scaling);
    return source && this.emit(value, maker.op, [source, ...maker.inputs.slice(1)], maker.attributes);
  }
}
