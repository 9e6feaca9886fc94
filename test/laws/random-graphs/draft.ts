import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Dim, Shape } from "../../../src/graph/dim.ts";
import type { Attributes, Model } from "../../../src/graph/model.ts";
import { makeModel } from "../../../src/graph/model.ts";
import { inferNode, isSupported } from "../../../src/ops/index.ts";
import { Random } from "../../../src/tensor/random.ts";
import { float32, int64, makeTensor, sizeOf, type Tensor } from "../../../src/tensor/tensor.ts";

/**
 * A random model under construction: a graph builder, draws, and a record of which pattern made which value.
 * In exact arithmetic all weights are small integers, and pieces keep to operations that are exact in
 * float32.
 */
export class Draft {
  readonly exact: boolean;
  readonly graph: GraphBuilder;
  /** The patterns that made each value, or read each parameter. */
  readonly patterns = new Map<string, Set<string>>();
  #draws: Random;
  readonly #sizes = new Set<number>();
  readonly #shared = new Map<string, string[]>();
  #parameters = 0;

  constructor(seed: number, exact: boolean) {
    this.exact = exact;
    this.#draws = new Random(seed, "draft");
    this.graph = new GraphBuilder((node, typeOf, constantOf) => {
      if (isSupported(node)) return inferNode(node, typeOf, constantOf);
      // Unknown operators have the type of their input.
      const type = typeOf(node.inputs[0] ?? "");
      return type === undefined ? [] : [{ dtype: type.dtype, shape: type.shape }];
    });
  }

  /** From here on draws depend only on `seed`, so that a piece is the same whatever came before it. */
  reseed(seed: number): void {
    this.#draws = new Random(seed, "piece");
  }

  chance(share: number): boolean {
    return this.#draws.uniform() < share;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.#draws.integer(choices.length)] as T;
  }

  /** From 0 up to `bound`, exclusive. */
  below(bound: number): number {
    return this.#draws.integer(bound);
  }

  /**
   * A size from 1 to 7, often one that is not in use yet, because equal sizes hide mistakes. Sometimes 1,
   * which hides others.
   */
  size(): number {
    if (this.chance(0.08)) return 1;
    for (let tries = 0; ; tries++) {
      const size = 2 + this.below(6);
      if (tries < 3 && this.#sizes.has(size)) continue;
      this.#sizes.add(size);
      return size;
    }
  }

  /** Marks what `make` adds as made by `pattern`. */
  as<T>(pattern: string, make: () => T): T {
    const before = this.graph.nodes.length;
    const made = make();
    for (const { inputs, outputs } of this.graph.nodes.slice(before)) {
      const parameters = inputs.filter((name) => this.graph.parameters.has(name));
      for (const name of [...outputs, ...parameters]) {
        const known = this.patterns.get(name) ?? new Set();
        this.patterns.set(name, known.add(pattern));
      }
    }
    return made;
  }

  emit(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.graph.emit(op, inputs, attributes);
  }

  shape(value: string): Shape {
    return this.graph.typeOf(value).shape;
  }

  /** The size of one axis, counted from the end if negative. */
  dim(value: string, axis: number): Dim {
    return this.shape(value).at(axis) as Dim;
  }

  /** The size of an axis that is a number in every model drawn here. */
  width(value: string, axis = -1): number {
    return this.dim(value, axis) as number;
  }

  scalar(value: number): string {
    return this.graph.scalar(value);
  }

  vector(values: readonly number[]): string {
    // Sometimes a separate one per reader: a shared one must be copied before it grows.
    if (this.chance(0.7)) return this.graph.vector(values);
    return this.graph.parameter(`sizes${this.#parameters++}`, int64([values.length], values));
  }

  integer(value: number): string {
    return this.graph.constant(`integer ${value}`, () => int64([], [value]));
  }

  /** A parameter of normal values of deviation 1/√fanIn; of -1, 0 and 1 in exact arithmetic. */
  weights(dims: readonly number[], fanIn = 1): Tensor<"float32"> {
    const draw = this.exact
      ? () => this.below(3) - 1
      : () => this.#draws.normal() / Math.sqrt(Math.max(1, fanIn));
    return float32(dims, Float32Array.from({ length: sizeOf(dims) }, draw));
  }

  /**
   * A parameter with these values, or an existing one of the same shape from another layer: some are shared.
   */
  parameter(kind: "weight" | "bias" | "table", tensor: Tensor): string {
    const key = `${kind} ${tensor.dtype} ${tensor.dims.join("×")}`;
    const like = this.#shared.get(key) ?? [];
    if (like.length > 0 && this.chance(0.15)) {
      const name = this.pick(like);
      this.patterns.set(name, (this.patterns.get(name) ?? new Set()).add(`shared ${kind}`));
      return name;
    }
    const name = this.graph.parameter(`layer${this.#parameters++}.${kind}`, tensor);
    this.#shared.set(key, [...like, name]);
    return name;
  }

  /** A parameter that nothing shares. */
  own(tensor: Tensor): string {
    return this.graph.parameter(`own${this.#parameters++}`, tensor);
  }

  /** Positive values, as scales and variances are; powers of two in exact arithmetic. */
  positive(dims: readonly number[]): Tensor<"float32"> {
    const draw = this.exact ? () => this.pick([1, 1, 2]) : () => 0.5 + this.#draws.uniform();
    return float32(dims, Float32Array.from({ length: sizeOf(dims) }, draw));
  }

  truths(dims: readonly number[]): Tensor<"bool"> {
    return makeTensor(
      "bool",
      dims,
      Uint8Array.from({ length: sizeOf(dims) }, () => this.below(2)),
    );
  }

  model(): Model {
    return makeModel(this.graph.build("random"));
  }
}
