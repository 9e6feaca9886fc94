import type { GraphBuilder } from "../../graph/builder.ts";
import type { Dim, Shape } from "../../graph/dim.ts";
import type { Attribute, Node, ValueType } from "../../graph/model.ts";
import { type ErrorCode, EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { AxisRef, AxisRule } from "./axis-rule.ts";
import type { Interval } from "./interval.ts";

/** A node together with what is known about its values: what every rule sees. */
export class Call {
  readonly node: Node;
  readonly #typeOf: (name: string) => ValueType | undefined;
  readonly #constantOf: (name: string) => Tensor | undefined;

  constructor(
    node: Node,
    typeOf: (name: string) => ValueType | undefined,
    constantOf: (name: string) => Tensor | undefined,
  ) {
    this.node = node;
    this.#typeOf = typeOf;
    this.#constantOf = constantOf;
  }

  /** Whether optional input `index` is given. */
  has(index: number): boolean {
    return (this.node.inputs[index] ?? "") !== "";
  }

  /** Type of input `index`. Throws `INVALID_MODEL` if the input is missing. */
  input(index: number): ValueType {
    const type = this.has(index) ? this.#typeOf(this.node.inputs[index] as string) : undefined;
    if (type === undefined) this.fail(`input ${index} is required`, this.node.inputs[index] ?? "nothing");
    return type;
  }

  /** Type of a value by its name, including values that only a body of the node reads. */
  typeNamed(name: string): ValueType | undefined {
    return this.#typeOf(name);
  }

  /** Value of a parameter or folded constant by its name; see {@link Call.typeNamed}. */
  constantNamed(name: string): Tensor | undefined {
    return this.#constantOf(name);
  }

  shape(index: number): Shape {
    return this.input(index).shape;
  }

  rank(index: number): number {
    return this.shape(index).length;
  }

  /** Type of output `index`; only available once the graph has been inferred (flow and cost rules). */
  output(index: number): ValueType {
    const type = this.#typeOf(this.node.outputs[index] ?? "");
    if (type === undefined) this.fail(`output ${index} has no known type`, this.node.outputs[index]);
    return type;
  }

  /** Value of input `index` if it is a parameter or a folded constant. */
  constant(index: number): Tensor | undefined {
    return this.has(index) ? this.#constantOf(this.node.inputs[index] as string) : undefined;
  }

  /** Integers given as an int64 constant input, e.g. axes; undefined if the input is absent or computed. */
  constantInts(index: number): number[] | undefined {
    const tensor = this.constant(index);
    return tensor === undefined ? undefined : Array.from(tensor.data as ArrayLike<number | bigint>, Number);
  }

  int(name: string, otherwise: number): number {
    return this.#attribute(name, "int")?.value ?? otherwise;
  }

  float(name: string, otherwise: number): number {
    return this.#attribute(name, "float")?.value ?? otherwise;
  }

  string(name: string, otherwise: string): string {
    return this.#attribute(name, "string")?.value ?? otherwise;
  }

  ints(name: string): readonly number[] | undefined {
    return this.#attribute(name, "ints")?.value;
  }

  floats(name: string): readonly number[] | undefined {
    return this.#attribute(name, "floats")?.value;
  }

  strings(name: string): readonly string[] | undefined {
    return this.#attribute(name, "strings")?.value;
  }

  /** `axis` counted from the front, for a tensor of `rank` axes. */
  axis(axis: number, rank: number): number {
    const positive = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(axis) || positive < 0 || positive >= rank) {
      this.fail(`axis must be from -${rank} to ${rank - 1}`, axis);
    }
    return positive;
  }

  /** Refuses a call that breaks a rule of ONNX. */
  fail(rule: string, received: unknown, remedy?: string): never {
    return this.#refuse("INVALID_MODEL", rule, received, remedy);
  }

  /** Refuses a call that may be valid, but in a form that espalier has no rule for: a node without rules. */
  unruled(rule: string, received: unknown, remedy?: string): never {
    return this.#refuse("UNSUPPORTED_OPERATOR", rule, received, remedy);
  }

  #refuse(code: ErrorCode, rule: string, received: unknown, remedy: string | undefined): never {
    throw new EspalierError(code, {
      thing: `node "${this.node.name}" (${this.node.op})`,
      rule,
      received,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }

  #attribute<K extends Attribute["kind"]>(
    name: string,
    kind: K,
  ): Extract<Attribute, { kind: K }> | undefined {
    const attributes = this.node.attributes;
    if (!Object.hasOwn(attributes, name)) return undefined;
    const attribute = attributes[name] as Attribute;
    if (attribute.kind !== kind) this.fail(`attribute ${name} must be of kind ${kind}`, attribute.kind);
    return attribute as Extract<Attribute, { kind: K }>;
  }
}

/** A call within a graph that is being written: it knows what the graph knows about its values. */
export class GraphCall extends Call {
  readonly graph: GraphBuilder;

  constructor(graph: GraphBuilder, node: Node) {
    super(
      node,
      (name) => (graph.has(name) ? graph.typeOf(name) : undefined),
      (name) => graph.parameters.get(name),
    );
    this.graph = graph;
  }
}

/**
 * What an upgrade rule works with: a call of an older opset, within the graph of opset 20 that is being
 * written.
 */
export interface UpgradeCall extends GraphCall {
  readonly opset: number;
}

/** What a gradient rule works with: the call, the graph being written, and the gradients of the outputs. */
export interface GradientCall extends Call {
  readonly graph: GraphBuilder;
  /** dL/d(output), by output; undefined if the loss does not depend on it. */
  readonly outputGradients: readonly (string | undefined)[];
  /** dL/d(output 0). */
  readonly upstream: string;
  /** Whether the gradient of input `index` is needed. */
  wants(index: number): boolean;
}

/** What a rounding rule works with: like a gradient rule, but forward, with error bounds. */
export interface RoundingCall extends Call {
  readonly graph: GraphBuilder;
  /** A bound on |computed - exact| of each input, elementwise; undefined if the input is exact. */
  readonly inputBounds: readonly (string | undefined)[];
}

/** What a training rule works with: the call and the training graph being written. */
export interface TrainingCall extends Call {
  readonly graph: GraphBuilder;
  /** Sets the parameter at input `index` to the value `name` after the step (running statistics). */
  update(index: number, name: string): void;
  /** Declares that the node takes a variance over `count` values, which must be more than one. */
  overSeveral(count: Dim): void;
  /** A float32 input of the shape of value `like`: 1/(1 - ratio) where kept, 0 where dropped, drawn again each step. */
  dropoutMask(like: string, ratio: number): string;
}

/** A function from logits to probabilities or their logarithms; over one axis unless it works on each element alone. */
export type Link =
  | { readonly name: "sigmoid" }
  | { readonly name: "softmax" | "logSoftmax"; readonly axis: number };

/** A product with a weight, viewed as a product of matrices: [samples, fan-in] × [fan-in, fan-out]. */
export interface Unfolded {
  /** The input, as [samples, fan-in]. */
  readonly rows: string;
  /** Whether the weight, flattened, is [fan-out, fan-in] rather than [fan-in, fan-out]. */
  readonly fanInLast: boolean;
  /** A value of the output's shape as [samples, fan-out]. */
  readonly outputRows: (value: string) => string;
}

/**
 * Everything that espalier knows about one ONNX operator. Adding an operator is one file that exports one
 * of these, and one line in the table of index.ts.
 */
export interface Operator {
  /** Shape rule: the types of the outputs. */
  readonly infer: (call: Call) => readonly ValueType[];
  /**
   * Gradient rule: emits the backward pass and returns dL/d(input) by input, undefined for inputs without
   * one (or not wanted). "none" for operators without a derivative, such as Shape.
   */
  readonly gradient: "none" | ((call: GradientCall) => readonly (string | undefined)[]);
  /** Axis-flow rule: how the axes of inputs and outputs are tied (see axis-rule.ts). */
  readonly axes: (call: Call) => AxisRule;
  /**
   * Rounding rule: emits a bound on |computed - exact| in float32, given bounds on the inputs, and returns its
   * name; undefined if the output is exact. A list contains the bounds of several outputs; a single one is that
   * of output 0. See growth/examine/rounding.ts.
   */
  readonly rounding: (call: RoundingCall) => string | undefined | readonly (string | undefined)[];
  /**
   * Interval rule: bounds on the outputs and whether they are finite, from what is known about the inputs
   * (undefined if an optional one is absent). Operators without one give finite outputs for finite inputs.
   */
  readonly interval?: (inputs: readonly (Interval | undefined)[], call: Call) => Interval;
  /** Floating-point operations of one call; one per output element if the rule is absent. */
  readonly flops?: (call: Call) => Dim;
  /** The tensor that output 0 always is, if the node just names one. Called before types are known. */
  readonly constant?: (call: Call) => Tensor | undefined;
  /** Integer inputs that are positions on an axis, and its size. */
  readonly positions?: (call: Call) => readonly { readonly input: number; readonly size: Dim }[];
  /**
   * Inputs at which a parameter says how to compute and is not a weight to train: `always`, or only if it is a `single`
   * number (a factor, the fill value of a mask).
   */
  readonly literals?: { readonly always?: readonly number[]; readonly single?: readonly number[] };
  /** The function from input 0 to output 0, if a loss on logits can invert it. */
  readonly link?: (call: Call) => Link;
  /** Whether output 0 consists of the elements of input 0, in another shape or element type. */
  readonly moves?: boolean;
  /** Whether output 0 is input 0 except for entries outside the range of the outputs. */
  readonly clamps?: boolean;
  /** For products that may have a bias: its input, and its number of entries for a weight (input 1) of `dims`. */
  readonly bias?: {
    readonly input: number;
    readonly size: (call: Call, dims: readonly number[]) => number;
  };
  /** Optional inputs that mean zero if absent, and that exporters write anyway. */
  readonly zeroIfAbsent?: readonly number[];
  /** Inputs that are running statistics: state of the model, but not trained by the loss. */
  readonly statistics?: readonly number[];
  /** Writes the node's outputs as they are in training, if that differs from inference. */
  readonly train?: (call: TrainingCall) => void;
  /** The node as it is in evaluation, if a file may contain it as it is in training. */
  readonly evaluation?: (call: Call) => Node;
  /** Input axes that it processes step by step, so that earlier positions affect later ones. */
  readonly sequences?: (call: Call) => readonly AxisRef[];
  /**
   * The node that computes the same in opset 20, if older opsets write the call differently or give it
   * another meaning; the rule may emit other nodes before it. All rules except `infer` and `axes` know only
   * opset 20.
   */
  readonly upgrade?: (call: UpgradeCall) => Node;
  /** Writes the node's outputs with the same values, but so that zero units get a gradient (see `AxisRule.atZero`). */
  readonly open?: (call: GraphCall) => void;
  /** For products of an input with a weight, input 1: the rows that outputs are made of, for their second moments. */
  readonly unfold?: (call: GraphCall) => Unfolded;
  /** Whether each element of output 0 is the largest of some elements of input 0. */
  readonly maximum?: boolean;
  /**
   * Whether this is a function f of each element with max(f(a), f(b)) = f(max(a, b)), exactly, that has derivative 0
   * wherever it makes different elements equal: then gradients, too, are the same before and after a maximum.
   */
  readonly commutesWithMaximum?: boolean;
  /** Writes the node's outputs in nodes that ONNX Runtime computes faster than this one on `threads` threads. */
  readonly lower?: (call: GraphCall, threads: number) => void;
}
