import { type Dim, multiplyDims, productOfDims, type Shape } from "../graph/dim.ts";
import { carriesUnits, layoutDim } from "../graph/layout.ts";
import type { Attribute, Graph, Node, Value, ValueType } from "../graph/model.ts";
import { needsOf } from "../graph/order.ts";
import { inferInto, type Stated, statedTypes } from "../ops/infer.ts";
import { isFloat } from "../tensor/dtype.ts";
import { EspalierError } from "../tensor/errors.ts";
import { float32, int64, makeTensor, type Tensor, toNumbers } from "../tensor/tensor.ts";
import type { NumberEdit, RepairEdit } from "./plan.ts";
import type { WidthAxis } from "./width.ts";

/** A growth as the nodes of a graph see it. */
export interface Rewrite {
  /** Units before and after. */
  readonly from: number;
  readonly to: number;
  readonly numbers: readonly NumberEdit[];
  readonly repairs: readonly RepairEdit[];
  readonly carried: readonly WidthAxis[];
}

/** The nodes and parameters of a grown graph, and its types. */
export interface Rewritten {
  readonly graph: Graph;
  readonly types: ReadonlyMap<string, ValueType>;
  /** The integers that were not as they should be. */
  readonly changed: ReadonlySet<NumberEdit>;
  /** Sizes that real numbers are computed from, which must stay what they are for those. */
  readonly kept: readonly NumberEdit[];
}

/**
 * Writes the nodes of a graph whose `parameters` have grown: literal sizes, attributes and repairs. Every shape must
 * then come out as the width says. `types` are those of the graph as it was. Throws `NOT_GROWABLE` with what differs.
 */
export function rewriteGraph(
  graph: Graph,
  types: ReadonlyMap<string, ValueType>,
  parameters: ReadonlyMap<string, Tensor>,
  rewrite: Rewrite,
): Rewritten {
  return new Rewriter(graph, types, parameters, rewrite).run();
}

/** The name of input `index` of the node that makes the value `node`. */
export function nodeInput(graph: Graph, node: string, index: number): string {
  return graph.nodes.find(({ outputs }) => outputs.includes(node))?.inputs[index] ?? "";
}

class Rewriter {
  readonly #graph: Graph;
  readonly #before: ReadonlyMap<string, ValueType>;
  readonly #stated: Stated;
  readonly #rewrite: Rewrite;
  readonly #numbers = new Map<string, NumberEdit[]>();
  readonly #repairs = new Map<string, RepairEdit[]>();
  readonly #types = new Map<string, ValueType>();
  readonly #parameters: Map<string, Tensor>;
  readonly #names: Set<string>;
  /** Grown vectors of sizes, by the old one's name and their elements. */
  readonly #copies = new Map<string, string>();
  /** Constants to their grown copies. */
  readonly #grown = new Map<string, string[]>();
  readonly #nodes: Node[] = [];
  readonly #changed = new Set<NumberEdit>();
  readonly #kept: NumberEdit[] = [];

  constructor(
    graph: Graph,
    types: ReadonlyMap<string, ValueType>,
    parameters: ReadonlyMap<string, Tensor>,
    rewrite: Rewrite,
  ) {
    this.#graph = graph;
    this.#before = types;
    this.#stated = statedTypes(graph);
    this.#rewrite = rewrite;
    this.#parameters = new Map(parameters);
    this.#names = new Set([...types.keys(), ...graph.nodes.flatMap((node) => node.outputs)]);
    for (const edit of rewrite.numbers) append(this.#numbers, edit.node, edit);
    for (const edit of rewrite.repairs) append(this.#repairs, edit.node, edit);
  }

  run(): Rewritten {
    const graph = this.#graph;
    const expected = this.#expectedShapes();
    for (const { name } of graph.inputs) {
      const type = this.#before.get(name);
      const shape = expected.get(name);
      if (type !== undefined)
        this.#types.set(name, shape === undefined ? type : { dtype: type.dtype, shape });
    }
    for (const [name, tensor] of this.#parameters) this.#declare(name, tensor);
    for (const node of graph.nodes) this.#write(node);
    this.#check(expected);
    const { nodes, parameters } = this.#withOldNames();
    // A border keeps its own names of symbolic sizes: only what grows is written anew.
    const grown = (value: Value): Value => {
      const [was, is] = [this.#before.get(value.name)?.shape, expected.get(value.name)];
      const shape = value.shape.map((dim, axis) => (is?.[axis] === was?.[axis] ? dim : (is?.[axis] ?? dim)));
      return is === undefined ? value : { ...value, shape };
    };
    const [inputs, outputs] = [graph.inputs.map(grown), graph.outputs.map(grown)];
    return {
      graph: { ...graph, inputs, outputs, nodes, parameters },
      types: this.#types,
      changed: this.#changed,
      kept: this.#kept,
    };
  }

  /** A constant that every reader has replaced by one and the same grown copy gives it its name. */
  #withOldNames(): Pick<Graph, "nodes" | "parameters"> {
    const used = new Set(this.#nodes.flatMap(needsOf));
    const names = new Map<string, string>();
    for (const [old, copies] of this.#grown) {
      if (!used.has(old) && copies.length === 1) names.set(copies[0] as string, old);
    }
    const gone = new Set([...this.#grown.keys()].filter((old) => !used.has(old)));
    const rename = (name: string) => names.get(name) ?? name;
    const kept = [...this.#parameters].filter(([name]) => !gone.has(name));
    return {
      nodes: this.#nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename) })),
      parameters: new Map(kept.map(([name, tensor]) => [rename(name), tensor])),
    };
  }

  #write(node: Node): void {
    const id = node.outputs.find((name) => name !== "") ?? "";
    let next = node;
    const byInput = new Map<number, NumberEdit[]>();
    for (const edit of this.#numbers.get(id) ?? []) {
      if (edit.input !== undefined) byInput.set(edit.input, [...(byInput.get(edit.input) ?? []), edit]);
      if (edit.attribute === undefined) continue;
      next = withAttribute(next, edit.attribute, edit.element, edit.to);
      this.#changed.add(edit);
    }
    for (const [input, edits] of byInput) next = this.#withInput(next, input, edits);
    next = this.#withOldSizes(next, id);
    const scaled = new Map<number, number>();
    for (const { target, factor } of this.#repairs.get(id) ?? []) {
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

  /** Replaces elements of an integer input: in a constant, else by computing with what is there. */
  #withInput(old: Node, input: number, edits: readonly NumberEdit[]): Node {
    const absent = (old.inputs[input] ?? "") === "" ? edits[0]?.absent : undefined;
    if (absent !== undefined && edits.every(({ element = 0, to }) => absent.values[element] === to))
      return old;
    const node = absent === undefined ? old : this.#withGiven(old, input, absent);
    const name = node.inputs[input] as string;
    const constant = this.#parameters.get(name);
    const now: Shape | undefined =
      constant === undefined ? this.#types.get(name)?.value : toNumbers(constant);
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
   * Real numbers that are computed from sizes stay as they are, like all that does not carry the width: a scale of 1/√d,
   * d the size of a head.
   */
  #withOldSizes(node: Node, id: string): Node {
    return node.inputs.reduce((next, name, input) => {
      const was = this.#before.get(name)?.value;
      const is = this.#types.get(name)?.value;
      if (was === undefined || is === undefined || !this.#makesReal(node, is.length)) return next;
      const edits = was.flatMap((to, element) =>
        to === is[element] ? [] : [{ node: id, input, element, to }],
      );
      this.#kept.push(...edits);
      return edits.length === 0 ? next : this.#withInput(next, input, edits);
    }, node);
  }

  /** Whether a node makes as many real numbers. */
  #makesReal(node: Node, count: number): boolean {
    const made = this.#before.get(node.outputs[0] ?? "");
    return made !== undefined && isFloat(made.dtype) && productOfDims(made.shape) === count;
  }

  /** Writes down what an input that is not there stands for. */
  #withGiven(node: Node, input: number, { values, attribute }: NonNullable<NumberEdit["absent"]>): Node {
    const name = this.#invent(`${node.outputs[0]}.${attribute}`);
    const tensor = int64([values.length], values);
    this.#parameters.set(name, tensor);
    this.#declare(name, tensor);
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
    this.#parameters.set(copy, makeTensor(tensor.dtype, tensor.dims, data));
    this.#declare(copy, this.#parameters.get(copy) as Tensor);
    this.#copies.set(key, copy);
    append(this.#grown, name, copy);
    return copy;
  }

  /** Adds to a computed vector of sizes what its elements lack; those that are multiples of symbols are scaled. */
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
    return refuse(name, `holds ${is} where the growth needs ${wanted}`);
  }

  /** A node that combines a vector of sizes with a constant one. */
  #combine(op: "Add" | "Mul" | "Div", name: string, values: readonly number[]): string {
    const constant = this.#invent(`${name}.growth`);
    const { shape } = this.#types.get(name) as ValueType;
    const tensor = int64(shape.length === 0 ? [] : [values.length], values);
    this.#parameters.set(constant, tensor);
    this.#declare(constant, tensor);
    const result = this.#invent(`${name}.grown`);
    this.#add({ name: result, op, domain: "", inputs: [name, constant], outputs: [result], attributes: {} });
    return result;
  }

  #scale(from: string, to: string, factor: number): void {
    const constant = this.#invent(`${to}.scale`);
    this.#parameters.set(constant, float32([], [factor]));
    this.#declare(constant, this.#parameters.get(constant) as Tensor);
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
    if (this.#isAsBefore(node)) {
      for (const name of node.outputs) {
        const type = this.#before.get(name);
        if (type !== undefined) this.#types.set(name, type);
      }
      return;
    }
    inferInto(this.#types, node, this.#parameters, this.#stated);
  }

  /** Nothing that a node reads has changed, so neither has what it makes. */
  #isAsBefore(node: Node): boolean {
    return (
      node.inputs.every((name) => name === "" || this.#types.get(name) === this.#before.get(name)) &&
      !this.#numbers.has(node.outputs[0] ?? "") &&
      !this.#repairs.has(node.outputs[0] ?? "")
    );
  }

  /** Keeps the old type record where the tensor is as it was, so that unchanged nodes are told by identity. */
  #declare(name: string, tensor: Tensor): void {
    const before = this.#before.get(name);
    const same =
      before !== undefined &&
      before.shape.length === tensor.dims.length &&
      before.shape.every((dim, axis) => dim === tensor.dims[axis]);
    this.#types.set(name, same ? before : { dtype: tensor.dtype, shape: tensor.dims });
  }

  #invent(name: string): string {
    let unique = name;
    for (let count = 2; this.#names.has(unique); count++) unique = `${name}.${count}`;
    this.#names.add(unique);
    return unique;
  }

  /** The shapes of the values that grow. */
  #expectedShapes(): ReadonlyMap<string, Shape> {
    const expected = new Map<string, Dim[]>();
    for (const { value, axis, layout } of this.#rewrite.carried) {
      const before = this.#before.get(value);
      if (before === undefined || !carriesUnits(layout)) continue;
      const shape = expected.get(value) ?? [...before.shape];
      shape[axis] = layoutDim(layout, this.#rewrite.to);
      expected.set(value, shape);
    }
    return expected;
  }

  /** Every shape must be the old one, but for the axes that the width is on. */
  #check(expected: ReadonlyMap<string, Shape>): void {
    for (const [name, before] of this.#before) {
      const after = this.#types.get(name);
      if (after === undefined || after === before) {
        if (expected.has(name)) refuse(name, `keeps its size [${before.shape}] although its width grows`);
        continue;
      }
      const shape = expected.get(name) ?? before.shape;
      if (after.shape.length !== shape.length || after.shape.some((dim, axis) => dim !== shape[axis])) {
        refuse(name, `would have the shape [${after.shape}] where [${shape}] is needed`);
      }
    }
  }
}

function append<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else list.push(item);
}

function refuse(value: string, rule: string): never {
  throw new EspalierError("NOT_GROWABLE", { thing: `value "${value}"`, rule, received: "a growth" });
}

function withAttribute(node: Node, name: string, element: number | undefined, size: Dim): Node {
  if (typeof size !== "number") refuse(node.outputs[0] ?? "", `cannot hold the size ${size} in its ${name}`);
  const to = size;
  const old = node.attributes[name];
  let next: Attribute | undefined;
  if (old?.kind === "int" && element === undefined) next = { kind: "int", value: to };
  if (old?.kind === "ints" && element !== undefined) {
    next = { kind: "ints", value: old.value.map((value, index) => (index === element ? to : value)) };
  }
  // An attribute that is not written has its default; a growth that changes it writes it.
  if (old === undefined && element === undefined) next = { kind: "int", value: to };
  if (next === undefined) refuse(node.outputs[0] ?? "", `has no attribute ${name} that could grow`);
  return { ...node, attributes: { ...node.attributes, [name]: next } };
}

function withScaledAttribute(node: Node, name: string, otherwise: number, factor: number): Node {
  const old = node.attributes[name];
  const value = old?.kind === "float" ? old.value : otherwise;
  return {
    ...node,
    attributes: { ...node.attributes, [name]: { kind: "float", value: Math.fround(value * factor) } },
  };
}
