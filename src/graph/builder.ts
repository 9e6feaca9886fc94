import { EspalierError } from "../tensor/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32, int64 } from "../tensor/tensor.ts";
import type { Attributes, Graph, Node, Value, ValueType } from "./model.ts";

/** Types of a node's outputs, from the types (and the values, if known) of its inputs. */
export type Inference = (
  node: Node,
  typeOf: (name: string) => ValueType | undefined,
  constantOf: (name: string) => Tensor | undefined,
) => readonly ValueType[];

/** What a graph inherits from the model that it is rewritten from. */
export interface Origin {
  /** Types that no rule gives. */
  readonly stated?: Pick<ReadonlyMap<string, ValueType>, "get">;
  /** Operator-set versions of domains other than the standard one. */
  readonly opsets?: ReadonlyMap<string, number>;
}

/**
 * Grows a graph node by node, inferring every type on the way. The one mutable thing in the graph
 * folder; {@link GraphBuilder.build} hands out plain data.
 */
export class GraphBuilder {
  readonly #infer: Inference;
  readonly #types = new Map<string, ValueType>();
  readonly #names = new Set<string>();
  readonly #literals = new Map<string, string>();
  readonly #counters = new Map<string, number>();
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  readonly nodes: Node[] = [];
  readonly parameters = new Map<string, Tensor>();

  readonly #outer: GraphBuilder | undefined;
  readonly #prefix: string;

  readonly origin: Origin;

  constructor(infer: Inference, origin: Origin = {}, outer?: GraphBuilder, prefix = "") {
    this.#infer = infer;
    this.origin = origin;
    this.#outer = outer;
    this.#prefix = prefix;
  }

  /**
   * A builder of a subgraph (the body of a Scan): it sees the values that this graph has so far. No name of this graph
   * may ever begin with `prefix`, with which all names that the subgraph invents begin.
   */
  nested(prefix: string): GraphBuilder {
    return new GraphBuilder(this.#infer, this.origin, this, prefix);
  }

  /** Names that {@link GraphBuilder.emit} must not invent because they are used later. */
  reserve(names: Iterable<string>): void {
    for (const name of names) this.#names.add(name);
  }

  /** {@link GraphBuilder.reserve}, for all values and nodes of a graph that will be written into this one. */
  reserveAll({ inputs, parameters, nodes }: Pick<Graph, "inputs" | "parameters" | "nodes">): void {
    this.reserve(inputs.map(({ name }) => name));
    this.reserve(parameters.keys());
    // ONNX Runtime wants node names to be unique as well.
    this.reserve(nodes.flatMap(({ name, outputs }) => [name, ...outputs]));
  }

  input(name: string, type: ValueType): string {
    this.inputs.push({ name, dtype: type.dtype, shape: type.shape });
    return this.#declare(name, type);
  }

  parameter(name: string, tensor: Tensor): string {
    this.parameters.set(name, tensor);
    return this.#declare(name, { dtype: tensor.dtype, shape: tensor.dims });
  }

  output(name: string): void {
    const type = this.typeOf(name);
    this.outputs.push({ name, dtype: type.dtype, shape: type.shape });
  }

  /** Adds a node as it is. Throws if neither a rule nor the file gives its output types, or its inputs do not fit. */
  add(node: Node): void {
    const types = this.#inferOrKnow(node);
    this.nodes.push(node);
    this.#names.add(node.name);
    node.outputs.forEach((name, index) => {
      const type = types[index] ?? this.origin.stated?.get(name);
      if (name === "") return;
      if (type === undefined) {
        throw new EspalierError("INVALID_MODEL", {
          thing: `node ${node.name} (${node.op})`,
          rule: `has at most ${types.length} outputs`,
          received: node.outputs.length,
        });
      }
      this.#declare(name, type);
    });
  }

  /** Adds a node under invented names and returns the name of its first output. */
  emit(op: string, inputs: readonly string[], attributes: Attributes = {}, hint = op): string {
    return this.emitAll(op, inputs, 1, attributes, hint)[0] as string;
  }

  /** Like {@link GraphBuilder.emit}, for a node with several outputs. */
  emitAll(
    op: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Attributes = {},
    hint = op,
  ): string[] {
    const name = this.#invent(hint);
    const names = Array.from({ length: outputs }, (_, index) => (index === 0 ? name : `${name}.${index}`));
    this.add({ name, op, domain: "", inputs, outputs: names, attributes });
    return names;
  }

  /** A float32 scalar constant; the same value is stored once. */
  scalar(value: number): string {
    return this.#literal(`f:${value}`, () => float32([], [value]));
  }

  /** An int64 vector constant (axes, shapes, sizes); the same value is stored once. */
  vector(values: readonly number[]): string {
    return this.#literal(`i:${values.join(",")}`, () => int64([values.length], values));
  }

  /** Any other constant; the same `key` is stored once. */
  constant(key: string, make: () => Tensor): string {
    return this.#literal(`t:${key}`, make);
  }

  typeOf(name: string): ValueType {
    const type = this.#types.get(name) ?? (this.#outer?.has(name) ? this.#outer.typeOf(name) : undefined);
    if (type === undefined) {
      throw new EspalierError("INVALID_MODEL", {
        thing: `value "${name}"`,
        rule: "is not defined before its use",
      });
    }
    return type;
  }

  /** Every value defined so far, in order of definition. */
  names(): IterableIterator<string> {
    return this.#types.keys();
  }

  has(name: string): boolean {
    return this.#types.has(name) || (this.#outer?.has(name) ?? false);
  }

  build(name: string): Graph {
    return {
      name,
      inputs: [...this.inputs],
      outputs: [...this.outputs],
      nodes: [...this.nodes],
      parameters: new Map(this.parameters),
    };
  }

  #inferOrKnow(node: Node): readonly ValueType[] {
    try {
      return this.#infer(
        node,
        (name) => (this.has(name) ? this.typeOf(name) : undefined),
        (name) => this.parameters.get(name),
      );
    } catch (error) {
      const stated = node.outputs.every((name) => name === "" || this.origin.stated?.get(name) !== undefined);
      if (stated && error instanceof EspalierError && error.code === "UNSUPPORTED_OPERATOR") return [];
      throw error;
    }
  }

  #literal(key: string, make: () => Tensor): string {
    const known = this.#literals.get(key);
    if (known !== undefined) return known;
    const name = this.parameter(this.#invent("constant"), make());
    this.#literals.set(key, name);
    return name;
  }

  #invent(hint: string): string {
    for (;;) {
      const count = this.#counters.get(hint) ?? 0;
      this.#counters.set(hint, count + 1);
      const name = `${this.#prefix}${hint}_${count}`;
      if (!this.#names.has(name)) return name;
    }
  }

  #declare(name: string, type: ValueType): string {
    if (this.#types.has(name)) {
      throw new EspalierError("INVALID_MODEL", { thing: `value "${name}"`, rule: "is defined twice" });
    }
    this.#names.add(name);
    this.#types.set(name, type);
    return name;
  }
}
