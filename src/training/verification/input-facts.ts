import type { Graph, Node, ValueType } from "../../graph/model.ts";
import { isSupported, operatorOf } from "../../ops/index.ts";
import { inferTypes } from "../../ops/infer.ts";
import { Call } from "../../ops/rules/operator.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { type Tensor, textsOf, toNumbers } from "../../tensor/tensor.ts";

/** What a graph reveals of the values that one of its inputs is meant to have. */
export interface InputFacts {
  /** The size of the smallest table that its integers index. */
  readonly table: number | undefined;
  /** The parameters that are such tables. */
  readonly tables: readonly string[];
  /** Numbers that the graph compares it with, or shifts and scales it by, in the order of the nodes. */
  readonly constants: readonly number[];
  /** Texts that the graph compares or maps. */
  readonly texts: readonly string[];
}

/** A constant with more entries than this is a weight. */
const most = 16;

/** Follows every input through the graph as far as its elements keep their identity. */
export function inputFacts(graph: Graph): ReadonlyMap<string, InputFacts> {
  const types = inferTypes(graph);
  const tables = tableSizes(graph, types);
  const { constants, texts } = metConstants(graph, types);
  const own = graph.inputs.filter(({ name }) => !graph.parameters.has(name));
  return new Map(
    own.map(({ name }) => [
      name,
      {
        table: tables.get(name)?.size,
        tables: [...(tables.get(name)?.parameters ?? [])],
        constants: [...(constants.get(name) ?? [])],
        texts: [...(texts.get(name) ?? [])],
      },
    ]),
  );
}

/**
 * The sizes of tables of which a model takes a part as long as its inputs, such as position embeddings: at such a length all
 * of the table is used.
 */
export function tableLengths(graph: Graph): readonly number[] {
  const types = inferTypes(graph);
  const found = graph.nodes.flatMap(({ inputs, outputs: [output = ""] }) => {
    const made = types.get(output)?.shape;
    return inputs.flatMap((name) => {
      const dims = graph.parameters.get(name)?.dims ?? [];
      if (made === undefined || made.length !== dims.length) return [];
      const same = made.filter((size, axis) => size === dims[axis]).length;
      // All axes but one are unchanged, and the length of that one depends on something else.
      return same !== dims.length - 1 || dims.length < 2
        ? []
        : dims.filter((_, axis) => typeof made[axis] === "string");
    });
  });
  return [...new Set(found)];
}

type Types = ReadonlyMap<string, ValueType>;

interface Tables {
  /** Rows of the smallest table. */
  readonly size: number;
  readonly parameters: ReadonlySet<string>;
}

/** The tables of each integer input that is looked up. */
function tableSizes(graph: Graph, types: Types): ReadonlyMap<string, Tables> {
  const sources = new Map<string, readonly string[]>();
  const limits = new Map<string, Tables>();
  const isInteger = (name: string) => /^u?int/.test(types.get(name)?.dtype ?? "");
  for (const { name } of graph.inputs) if (isInteger(name)) sources.set(name, [name]);
  for (const node of graph.nodes) {
    const call = callOf(graph, node, types);
    if (call === undefined || node.inputs.some((name) => name !== "" && !types.has(name))) continue;
    for (const { input, size } of operatorOf(node).positions?.(call) ?? []) {
      if (typeof size !== "number") continue;
      const tables = node.inputs.filter((name) => graph.parameters.get(name)?.dims[0] === size);
      for (const source of sources.get(node.inputs[input] ?? "") ?? []) {
        const known = limits.get(source) ?? { size, parameters: new Set() };
        const parameters = new Set([...known.parameters, ...tables]);
        limits.set(source, { size: Math.min(size, known.size), parameters });
      }
    }
    const from = [...new Set(node.inputs.flatMap((name) => sources.get(name) ?? []))];
    for (const name of node.outputs) if (from.length > 0 && isInteger(name)) sources.set(name, from);
  }
  return limits;
}

/** For each input: the small constants combined with its elements before any weight is. */
function metConstants(graph: Graph, types: Types) {
  const constants = new Map<string, Set<number>>();
  const texts = new Map<string, Set<string>>();
  const known = new Map(graph.parameters);
  const sources = new Map(graph.inputs.map(({ name }) => [name, [name] as readonly string[]]));
  for (const name of graph.parameters.keys()) sources.delete(name);
  const add = <T>(into: Map<string, Set<T>>, source: string, values: Iterable<T>) => {
    const before = into.get(source) ?? new Set<T>();
    for (const value of values) before.add(value);
    into.set(source, before);
  };
  for (const node of graph.nodes) {
    const call = callOf(graph, node, types);
    const constant = call && operatorOf(node).constant?.(call);
    if (constant !== undefined) known.set(node.outputs[0] as string, constant);
    const from = [...new Set(node.inputs.flatMap((name) => sources.get(name) ?? []))];
    if (from.length === 0) continue;
    for (const source of from) add(texts, source, textsIn(node));
    const met = node.inputs.flatMap((name) => known.get(name) ?? []);
    if (met.some(({ data }) => data.length > most)) continue;
    for (const tensor of met) {
      for (const source of from) {
        if (tensor.dtype === "string") add(texts, source, textsOf(tensor));
        else if (isTelling(node, tensor, types))
          add(constants, source, toNumbers(tensor).filter(Number.isFinite));
      }
    }
    for (const name of node.outputs) if (name !== "") sources.set(name, from);
  }
  return { constants, texts };
}

/** Whether a constant is a value like those it is combined with, not an axis, a shape or a position. */
function isTelling(node: Node, { dtype }: Tensor, types: Types): boolean {
  if (isFloat(dtype)) return true;
  const made = types.get(node.outputs[0] as string);
  return made === undefined || made.dtype === "bool";
}

/** Texts in a node's attributes, such as those that it encodes as numbers. */
function textsIn({ attributes }: Node): readonly string[] {
  return Object.values(attributes).flatMap((attribute) => {
    if (attribute.kind === "strings") return attribute.value;
    return attribute.kind === "tensor" && attribute.value.dtype === "string" ? textsOf(attribute.value) : [];
  });
}

function callOf(graph: Graph, node: Node, types: Types): Call | undefined {
  if (!isSupported(node)) return undefined;
  return new Call(
    node,
    (name) => types.get(name),
    (name) => graph.parameters.get(name),
  );
}
