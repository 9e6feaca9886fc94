import { type Dim, multiplyDims, productOfDims, type Shape } from "../../graph/dim.ts";
import { carriesUnits, layoutDim } from "../../graph/layout.ts";
import type { Node, Value, ValueType } from "../../graph/model.ts";
import { needsOf } from "../../graph/order.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { float32, int64, makeTensor, type Tensor, toNumbers } from "../../tensor/tensor.ts";
import type { IndexedGraph, Patch } from "./indexed-graph.ts";
import { Lists } from "./lists.ts";
import type { NumberEdit, RepairEdit } from "./plan.ts";
import { PositionQueue } from "./position-queue.ts";
import { refuse, withAttribute, withScaledAttribute } from "./rewrite-node.ts";
import type { WidthAxis } from "./width.ts";

/** A growth as the nodes of a graph see it. */
export interface SizeRewrite {
  /** Units before and after. */
  readonly from: number;
  readonly to: number;
  readonly numbers: readonly NumberEdit[];
  readonly repairs: readonly RepairEdit[];
  readonly carried: readonly WidthAxis[];
}

/** What a growth changes in a graph, and what it found on the way. */
export interface Rewritten extends Patch {
  /** The integers that had to change, in the order of their nodes. */
  readonly changed: readonly NumberEdit[];
  /** Sizes that real numbers are computed from, and that must stay the same for those. */
  readonly kept: readonly NumberEdit[];
  /** Positions of nodes that read or make something else than before, in order. */
  readonly reached: readonly number[];
}

/** Integers of a node that a growth reaches and that `numbers` does not list. */
export type HeldNumbers = (node: Node) => readonly NumberEdit[];

/**
 * Rewrites the nodes of a graph that a growth reaches: literal sizes, attributes and repairs. Every shape must then be
 * the one that the width predicts. `grown` are the parameters that have changed. Throws `NOT_GROWABLE` with what differs.
 */
export function rewriteGraph(
  graph: IndexedGraph,
  grown: ReadonlyMap<string, Tensor>,
  rewrite: SizeRewrite,
  held: HeldNumbers = () => [],
): Rewritten {
  return new Rewriter(graph, grown, rewrite, held).run();
}

class Rewriter {
  readonly #graph: IndexedGraph;
  readonly #rewrite: SizeRewrite;
  readonly #held: HeldNumbers;
  readonly #numbers = new Lists<NumberEdit>();
  readonly #repairs = new Lists<RepairEdit>();
  /** Types that are new or changed, and those of grown parameters. */
  readonly #types = new Map<string, ValueType>();
  /** Parameters that are new or changed. */
  readonly #parameters: Map<string, Tensor>;
  readonly #names = new Set<string>();
  /** Grown vectors of sizes, by the old one's name and their elements. */
  readonly #copies = new Map<string, string>();
  /** Constants to their grown copies. */
  readonly #grown = new Lists<string>();
  readonly #queue = new PositionQueue();
  readonly #reached = new Map<number, readonly Node[]>();
  readonly #changed = new Set<NumberEdit>();
  readonly #ordered: NumberEdit[] = [];
  readonly #kept: NumberEdit[] = [];
  /** The position being visited, and the nodes written there. */
  #at = -1;
  #nodes: Node[] = [];

  constructor(
    graph: IndexedGraph,
    grown: ReadonlyMap<string, Tensor>,
    rewrite: SizeRewrite,
    held: HeldNumbers,
  ) {
    this.#graph = graph;
    this.#rewrite = rewrite;
    this.#held = held;
    this.#parameters = new Map(grown);
    for (const edit of rewrite.numbers) this.#numbers.add(edit.node, edit);
    for (const edit of rewrite.repairs) this.#repairs.add(edit.node, edit);
  }

  run(): Rewritten {
    const graph = this.#graph;
    const expected = this.#expectedShapes();
    const isInput = new Set(graph.inputs.map(({ name }) => name));
    for (const [name, shape] of expected) {
      const type = graph.types.get(name);
      if (isInput.has(name) && type !== undefined) this.#declare(name, { dtype: type.dtype, shape });
    }
    for (const [name, tensor] of this.#parameters) this.#declareParameter(name, tensor);
    for (const node of [...this.#numbers.keys(), ...this.#repairs.keys()]) {
      const position = graph.makerOf(node);
      if (position !== undefined) this.#queue.add(position);
    }
    for (let at = this.#queue.take(); at !== undefined; at = this.#queue.take()) {
      [this.#at, this.#nodes] = [at, []];
      for (const node of graph.nodesAt(at)) this.#write(node);
      this.#reached.set(at, this.#nodes);
    }
    this.#check(expected);
    // Inputs and outputs keep their symbols for sizes: only the axes that grow are rewritten.
    const grown = (value: Value): Value => {
      const [was, is] = [graph.types.get(value.name)?.shape, expected.get(value.name)];
      const shape = value.shape.map((dim, axis) => (is?.[axis] === was?.[axis] ? dim : (is?.[axis] ?? dim)));
      return is === undefined ? value : { ...value, shape };
    };
    return {
      inputs: graph.inputs.map(grown),
      outputs: graph.outputs.map(grown),
      ...this.#withOldNames(),
      changed: this.#ordered,
      kept: this.#kept,
      reached: [...this.#reached.keys()],
    };
  }

  /** If every reader of a constant has replaced it by the same grown copy, the copy gets its name. */
  #withOldNames(): Pick<Patch, "nodes" | "parameters" | "gone" | "types"> {
    const graph = this.#graph;
    const nodesAt = (position: number) => this.#reached.get(position) ?? graph.nodesAt(position);
    const isUsed = (name: string) =>
      [...graph.readersOf(name)].some((at) => nodesAt(at).some((node) => needsOf(node).includes(name)));
    const gone = [...this.#grown.keys()].filter((old) => !isUsed(old));
    const names = new Map<string, string>();
    for (const old of gone) {
      const [copy, ...more] = this.#grown.at(old);
      if (copy !== undefined && more.length === 0) names.set(copy, old);
    }
    const nameOf = (name: string) => names.get(name) ?? name;
    const nodes = new Map<number, readonly Node[]>();
    for (const [position, written] of this.#reached) {
      const before = graph.nodesAt(position);
      if (written.length === before.length && written.every((node, at) => node === before[at])) continue;
      nodes.set(
        position,
        written.map((node) => ({ ...node, inputs: node.inputs.map(nameOf) })),
      );
    }
    return {
      nodes,
      gone,
      parameters: new Map([...this.#parameters].map(([name, tensor]) => [nameOf(name), tensor])),
      types: new Map([...this.#types].map(([name, type]) => [nameOf(name), type])),
    };
  }

  #write(node: Node): void {
    const id = node.outputs.find((name) => name !== "") ?? "";
    let next = node;
    const byInput = new Map<number, NumberEdit[]>();
    const numbers = this.#numbers.has(id) ? this.#numbers.at(id) : this.#held(node);
    for (const edit of numbers) {
      if (edit.input !== undefined) byInput.set(edit.input, [...(byInput.get(edit.input) ?? []), edit]);
      if (edit.attribute === undefined) continue;
      next = withAttribute(next, edit.attribute, edit.element, edit.to);
      this.#changed.add(edit);
    }
    for (const [input, edits] of byInput) next = this.#withInput(next, input, edits);
    this.#ordered.push(...numbers.filter((edit) => this.#changed.has(edit)));
    next = this.#withOldSizes(next, id);
    const scaled = new Map<number, number>();
    for (const { target, factor } of this.#repairs.at(id)) {
      if ("attribute" in target) {
        next = withScaledAttribute(next, target.attribute, target.otherwise, factor);
      } else if ("output" in target) scaled.set(target.output, factor);
    }
    if (scaled.size === 0) {
      this.#add(next);
      return;
    }
    const outputs = next.outputs.map((name, index) =>
      scaled.has(index) ? this.#invent(`${name}.unscaled`) : name,
    );
    this.#add({ ...next, outputs });
    for (const [index, factor] of scaled)
      this.#scale(outputs[index] as string, node.outputs[index] as string, factor);
  }

  /** Replaces elements of an integer input: in a constant, else by computing with the present value. */
  #withInput(old: Node, input: number, edits: readonly NumberEdit[]): Node {
    const absent = (old.inputs[input] ?? "") === "" ? edits[0]?.absent : undefined;
    if (absent !== undefined && edits.every(({ element = 0, to }) => absent.values[element] === to))
      return old;
    const node = absent === undefined ? old : this.#withGiven(old, input, absent);
    const name = node.inputs[input] as string;
    const constant = this.#parameterOf(name);
    const now: Shape | undefined = constant === undefined ? this.#typeOf(name)?.value : toNumbers(constant);
    if (now === undefined) {
      refuse(name, `is computed in a way that cannot be followed, so ${node.op} cannot grow`);
    }
    const wanted = [...now];
    for (const edit of edits) {
      const { element = 0, to } = edit;
      if (to === now[element]) continue;
      wanted[element] = to;
      this.#changed.add(edit);
    }
    if (wanted.every((size, element) => size === now[element])) return node;
    const replacement =
      constant === undefined
        ? this.#shift(name, now, wanted)
        : this.#constant(name, constant, wanted as number[]);
    return { ...node, inputs: node.inputs.map((given, index) => (index === input ? replacement : given)) };
  }

  /**
   * Keeps real numbers that are computed from sizes, such as a scale 1/√d with d the size of a head, as they
   * were, like everything that does not carry the width.
   */
  #withOldSizes(node: Node, id: string): Node {
    return node.inputs.reduce((next, name, input) => {
      const was = this.#graph.types.get(name)?.value;
      const is = this.#typeOf(name)?.value;
      if (was === undefined || is === undefined || !this.#makesReal(node, is.length)) return next;
      const edits = was.flatMap((to, element) =>
        to === is[element] ? [] : [{ node: id, input, element, to }],
      );
      this.#kept.push(...edits);
      return edits.length === 0 ? next : this.#withInput(next, input, edits);
    }, node);
  }

  /** Whether a node makes `count` real numbers. */
  #makesReal(node: Node, count: number): boolean {
    const made = this.#graph.types.get(node.outputs[0] ?? "");
    return made !== undefined && isFloat(made.dtype) && productOfDims(made.shape) === count;
  }

  /** Writes out the default of an absent input. */
  #withGiven(node: Node, input: number, { values, attribute }: NonNullable<NumberEdit["absent"]>): Node {
    const name = this.#invent(`${node.outputs[0]}.${attribute}`);
    this.#addParameter(name, int64([values.length], values));
    const inputs = Array.from({ length: input + 1 }, (_, index) => node.inputs[index] ?? "");
    const { [attribute]: _, ...attributes } = node.attributes;
    return { ...node, attributes, inputs: inputs.map((given, index) => (index === input ? name : given)) };
  }

  #constant(name: string, tensor: Tensor, values: readonly number[]): string {
    const key = `${name} ${values.join(",")}`;
    const known = this.#copies.get(key);
    if (known !== undefined) return known;
    const copy = this.#invent(`${name}.grown`);
    const data = tensor.data.slice();
    values.forEach((value, index) => {
      data[index] = typeof data[index] === "bigint" ? BigInt(value) : value;
    });
    this.#addParameter(copy, makeTensor(tensor.dtype, tensor.dims, data));
    this.#copies.set(key, copy);
    this.#grown.add(name, copy);
    return copy;
  }

  /** Adds the differences to a computed vector of sizes; elements that are multiples of symbols are scaled. */
  #shift(name: string, now: Shape, wanted: Shape): string {
    const key = `${name} ${wanted.join(",")}`;
    const known = this.#copies.get(key);
    if (known !== undefined) return known;
    const pairs = wanted.map((size, element) => [now[element] as Dim, size] as const);
    const isPlain = ([is, size]: readonly [Dim, Dim]) => typeof is === "number" && typeof size === "number";
    const ratios = pairs.map((pair) => (isPlain(pair) ? [1, 1] : this.#ratio(name, ...pair)));
    const sums = pairs.map((pair) => (isPlain(pair) ? Number(pair[1]) - Number(pair[0]) : 0));
    let grown = name;
    if (ratios.some(([times, by]) => times !== by)) {
      grown = this.#combine(
        "Mul",
        grown,
        ratios.map(([times]) => times as number),
      );
      grown = this.#combine(
        "Div",
        grown,
        ratios.map(([, by]) => by as number),
      );
    }
    if (sums.some((difference) => difference !== 0)) grown = this.#combine("Add", grown, sums);
    this.#copies.set(key, grown);
    return grown;
  }

  /** Whole numbers by which a symbolic size is multiplied and then divided to become another. */
  #ratio(name: string, is: Dim, wanted: Dim): readonly number[] {
    if (is === wanted) return [1, 1];
    const { from, to } = this.#rewrite;
    if (multiplyDims(is, to) === multiplyDims(wanted, from)) return [to, from];
    return refuse(name, `is ${is}, but the growth needs ${wanted}`);
  }

  /** A node that combines a vector of sizes with a constant one. */
  #combine(op: "Add" | "Mul" | "Div", name: string, values: readonly number[]): string {
    const constant = this.#invent(`${name}.growth`);
    const { shape } = this.#typeOf(name) as ValueType;
    this.#addParameter(constant, int64(shape.length === 0 ? [] : [values.length], values));
    const result = this.#invent(`${name}.grown`);
    this.#add({ name: result, op, domain: "", inputs: [name, constant], outputs: [result], attributes: {} });
    return result;
  }

  #scale(from: string, to: string, factor: number): void {
    const constant = this.#invent(`${to}.scale`);
    this.#addParameter(constant, float32([], [factor]));
    this.#add({
      name: this.#invent(`${to}.scaled`),
      op: "Mul",
      domain: "",
      inputs: [from, constant],
      outputs: [to],
      attributes: {},
    });
  }

  #add(node: Node): void {
    this.#nodes.push(node);
    // None of its inputs have changed, so its outputs have not either.
    const id = node.outputs[0] ?? "";
    const isAsBefore =
      node.inputs.every((name) => !this.#types.has(name)) && !this.#numbers.has(id) && !this.#repairs.has(id);
    if (isAsBefore) return;
    const { made } = this.#graph.infer(node, this.#types, this.#parameters);
    for (const name of node.outputs) {
      const type = made.get(name);
      if (type !== undefined) this.#declare(name, type);
    }
  }

  #typeOf(name: string): ValueType | undefined {
    return this.#types.get(name) ?? this.#graph.types.get(name);
  }

  #parameterOf(name: string): Tensor | undefined {
    return this.#parameters.get(name) ?? this.#graph.parameters.get(name);
  }

  #addParameter(name: string, tensor: Tensor): void {
    this.#parameters.set(name, tensor);
    this.#declareParameter(name, tensor);
  }

  #declareParameter(name: string, { dtype, dims }: Tensor): void {
    this.#declare(name, { dtype, shape: dims });
  }

  /** Records a type and, if it has changed, the readers of the value. */
  #declare(name: string, type: ValueType): void {
    const before = this.#graph.types.get(name);
    if (before !== undefined && isSameType(before, type)) return;
    this.#types.set(name, type);
    for (const position of this.#graph.readersOf(name)) if (position > this.#at) this.#queue.add(position);
  }

  #invent(name: string): string {
    const unique = this.#graph.freeName(name, this.#names);
    this.#names.add(unique);
    return unique;
  }

  /** The shapes of the values that grow. */
  #expectedShapes(): ReadonlyMap<string, Shape> {
    const expected = new Map<string, Dim[]>();
    for (const { value, axis, layout } of this.#rewrite.carried) {
      const before = this.#graph.types.get(value);
      if (before === undefined || !carriesUnits(layout)) continue;
      const shape = expected.get(value) ?? [...before.shape];
      shape[axis] = layoutDim(layout, this.#rewrite.to);
      expected.set(value, shape);
    }
    return expected;
  }

  /** Every shape must be the old one, except on the axes of the width. */
  #check(expected: ReadonlyMap<string, Shape>): void {
    for (const [name, type] of this.#types) {
      const before = this.#graph.types.get(name);
      if (before === undefined) continue;
      const shape = expected.get(name) ?? before.shape;
      if (!isSameShape(type.shape, shape)) {
        refuse(name, `would have the shape [${type.shape}], but [${shape}] is needed`);
      }
    }
    for (const name of expected.keys()) {
      if (this.#types.has(name)) continue;
      refuse(name, `keeps its size [${this.#graph.types.get(name)?.shape}] although its width grows`);
    }
  }
}

const isSameShape = (a: Shape, b: Shape) => a.length === b.length && a.every((dim, axis) => dim === b[axis]);

function isSameType(a: ValueType, b: ValueType): boolean {
  const [left, right] = [a.value, b.value];
  const sameValue = left === undefined || right === undefined ? left === right : isSameShape(left, right);
  return a.dtype === b.dtype && isSameShape(a.shape, b.shape) && sameValue;
}
