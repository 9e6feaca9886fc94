import type { GraphBuilder } from "../../graph/builder.ts";
import { type Attributes, float, int, ints, text } from "../../graph/model.ts";
import { float32, int64, type Tensor } from "../../tensor/tensor.ts";
import { unknownName } from "../../tensor/unknown-name.ts";

/** Where the parameters of a model come from. */
export interface Parameters {
  has(name: string): boolean;
  /** As float32. Throws `FORMAT` if there is none. */
  tensor(name: string): Tensor;
}

/** How a kernel moves over its input. */
export interface Convolution {
  readonly strides: readonly number[];
  /** Zeros on each side of each axis; default 0. */
  readonly padding?: number;
}

export interface NetOptions {
  /**
   * Whether a norm's scale that is stored minus 1 (Gemma's) has the 1 already added in the graph. Default
   * false.
   */
  readonly folded?: boolean;
}

/** Writes a model in terms of its modules: module NAME has the parameter that is stored as `NAME.weight`. */
export class Net {
  readonly graph: GraphBuilder;
  readonly #parameters: Parameters;
  readonly #folded: boolean;

  constructor(graph: GraphBuilder, parameters: Parameters, { folded = false }: NetOptions = {}) {
    this.graph = graph;
    this.#parameters = parameters;
    this.#folded = folded;
  }

  has(name: string): boolean {
    return this.#parameters.has(name);
  }

  parameter(name: string): string {
    return this.graph.has(name) ? name : this.graph.parameter(name, this.#parameters.tensor(name));
  }

  emit(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.graph.emit(op, inputs, attributes);
  }

  add = (a: string, b: string) => this.emit("Add", [a, b]);
  multiply = (a: string, b: string) => this.emit("Mul", [a, b]);
  matmul = (a: string, b: string) => this.emit("MatMul", [a, b]);
  scalar = (value: number) => this.graph.scalar(value);
  scaled = (x: string, factor: number) => (factor === 1 ? x : this.multiply(x, this.scalar(factor)));
  numbers = (values: readonly number[]) =>
    this.graph.constant(`floats:${values.join(",")}`, () => float32([values.length], values));
  index = (value: number) => this.graph.constant(`index:${value}`, () => int64([], [value]));
  reshape = (x: string, sizes: readonly number[]) => this.emit("Reshape", [x, this.graph.vector(sizes)]);
  transpose = (x: string, order: readonly number[]) => this.emit("Transpose", [x], { perm: ints(order) });
  unsqueeze = (x: string, ...axes: readonly number[]) => this.emit("Unsqueeze", [x, this.graph.vector(axes)]);
  concat = (parts: readonly string[], axis: number) => this.emit("Concat", parts, { axis: int(axis) });

  /** Convolution over all axes after the first two, with the bias if there is one. */
  convolution(x: string, name: string, { strides, padding = 0 }: Convolution): string {
    const inputs = [x, this.parameter(`${name}.weight`)];
    if (this.has(`${name}.bias`)) inputs.push(this.parameter(`${name}.bias`));
    const pads = strides.map(() => padding);
    return this.emit("Conv", inputs, { strides: ints(strides), pads: ints([...pads, ...pads]) });
  }

  /** One position of an axis, which is removed. */
  entry(x: string, axis: number, position: number): string {
    return this.emit("Gather", [x, this.index(position)], { axis: int(axis) });
  }

  /** Positions `from` up to `to` (exclusive) of an axis. */
  slice(x: string, axis: number, from: number, to: number): string {
    const { vector } = { vector: (value: number) => this.graph.vector([value]) };
    return this.emit("Slice", [x, vector(from), vector(to), vector(axis)]);
  }

  /** Splits an axis into parts of these sizes. */
  split(x: string, axis: number, sizes: readonly number[]): readonly string[] {
    const inputs = [x, this.graph.vector(sizes)];
    return this.graph.emitAll("Split", inputs, sizes.length, { axis: int(axis) });
  }

  /** x·Wᵀ + b with W stored as [out, in] (torch's Linear); plus the bias, if there is one. */
  linear(x: string, name: string): string {
    return this.#biased(this.matmul(x, this.transpose(this.parameter(`${name}.weight`), [1, 0])), name);
  }

  /** x·W + b with W stored as [in, out] (GPT-2's Conv1D). */
  linearAsStored(x: string, name: string): string {
    return this.#biased(this.matmul(x, this.parameter(`${name}.weight`)), name);
  }

  #biased(x: string, name: string): string {
    return this.has(`${name}.bias`) ? this.add(x, this.parameter(`${name}.bias`)) : x;
  }

  /** Rows of a table, by index. */
  lookup(name: string, ids: string): string {
    return this.emit("Gather", [this.parameter(name), ids], { axis: int(0) });
  }

  /** x / √(mean x² + ε) · w over the last axis; `offset` is what the class adds to the stored w. */
  rmsNorm(x: string, name: string, epsilon: number, offset = 0): string {
    const mean = this.emit("ReduceMean", [this.multiply(x, x), this.graph.vector([-1])], {
      keepdims: int(1),
    });
    const root = this.emit("Sqrt", [this.add(mean, this.scalar(epsilon))]);
    const stored = this.parameter(`${name}.weight`);
    const scale = offset === 0 || this.#folded ? stored : this.add(stored, this.scalar(offset));
    return this.multiply(this.emit("Div", [x, root]), scale);
  }

  layerNorm(x: string, name: string, epsilon: number): string {
    const inputs = [x, this.parameter(`${name}.weight`)];
    if (this.has(`${name}.bias`)) inputs.push(this.parameter(`${name}.bias`));
    return this.emit("LayerNormalization", inputs, { axis: int(-1), epsilon: float(epsilon) });
  }

  softmax = (x: string) => this.emit("Softmax", [x], { axis: int(-1) });

  /** cap · tanh(x / cap) */
  capped(x: string, cap: number | undefined): string {
    if (cap === undefined) return x;
    return this.scaled(this.emit("Tanh", [this.emit("Div", [x, this.scalar(cap)])]), cap);
  }

  /** An activation by its name in configurations. Throws `CONFIG`. */
  activation(x: string, name: string): string {
    const make = Object.hasOwn(activations, name) ? activations[name] : undefined;
    if (make !== undefined) return make(this, x);
    throw unknownName("CONFIG", "activation", name, Object.keys(activations));
  }
}

const gelu = (approximate: "none" | "tanh") => (net: Net, x: string) =>
  net.emit("Gelu", [x], { approximate: text(approximate) });

const activations: Readonly<Record<string, (net: Net, x: string) => string>> = {
  relu: (net, x) => net.emit("Relu", [x]),
  silu: (net, x) => net.multiply(x, net.emit("Sigmoid", [x])),
  swish: (net, x) => net.multiply(x, net.emit("Sigmoid", [x])),
  gelu: gelu("none"),
  gelu_new: gelu("tanh"),
  gelu_fast: gelu("tanh"),
  gelu_pytorch_tanh: gelu("tanh"),
  quick_gelu: (net, x) => net.multiply(x, net.emit("Sigmoid", [net.scaled(x, 1.702)])),
  tanh: (net, x) => net.emit("Tanh", [x]),
};
