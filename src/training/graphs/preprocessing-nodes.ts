import {
  type FeatureColumn,
  type ImageFeatures,
  isWide,
  type NumberTarget,
  type Preprocessing,
  preprocessingJson,
  readPreprocessing,
  type Scale,
  type TableFeatures,
  wideColumns,
} from "../../data/preprocessing/index.ts";
import { isConcrete, type Shape } from "../../graph/dim.ts";
import { type Attributes, int, ints, type Model, type Node, type Value } from "../../graph/model.ts";
import { inferTypes } from "../../ops/infer.ts";
import { codeOfDtype } from "../../ops/rules/element-types.ts";
import { float32, int64, makeTensor, type Tensor } from "../../tensor/tensor.ts";

/** Where a model keeps the JSON of its record. */
const metadataKey = "espalier.preprocessing";
/** The prefix of the names of all nodes and parameters that implement a record. */
const prefix = "preprocessing/";
const inside = ".preprocessed";
const scaled = ".scaled";

/** A network, and how rows are prepared for it. */
export interface PreprocessedModel {
  readonly model: Model;
  readonly preprocessing?: Preprocessing;
  /** Whether the model contained nodes that do what the record says, or only the record. */
  readonly nodes: boolean;
  /** Puts record and nodes back around a network with the same input and output, such as the grown one. */
  readonly restore: (network: Model) => Model;
}

export interface PreprocessingOptions {
  /**
   * Whether nodes before the network do what the record says, so that the model takes raw rows, and nodes after it convert
   * targets to their own units. Default true. Without them the model carries only the record.
   */
  readonly nodes?: boolean;
  /** The output that gives the targets. Default: the first. */
  readonly output?: string;
}

/**
 * The model that takes raw rows: the columns of the table in their order, a category as its place in the record's list, a gap
 * as NaN, all float32, or float64 if float32 would merge values; or pixels as the file has them. Its
 * outputs are in the units of the data; class names are in the record, which the model carries as metadata. Requires a
 * network that takes prepared rows. A network with several inputs, or with none of float32, gets only the record.
 */
export function withPreprocessing(
  network: Model,
  record: Preprocessing,
  { nodes = true, output = network.graph.outputs[0]?.name ?? "" }: PreprocessingOptions = {},
): Model {
  const metadata = new Map(network.metadata).set(metadataKey, preprocessingJson(record));
  const inputs = network.graph.inputs.filter(({ name }) => !network.graph.parameters.has(name));
  const [input, ...more] = inputs;
  if (!nodes || input?.dtype !== "float32" || more.length > 0) return { ...network, metadata };
  const front =
    record.features.kind === "table"
      ? tableNodes(input, record.features)
      : imageNodes(input, record.features);
  const back = record.target?.kind === "number" ? targetNodes(output, record.target) : undefined;
  const { graph } = network;
  const renames = new Map([
    ...(front === undefined ? [] : [[input.name, `${input.name}${inside}`] as const]),
    ...(back === undefined ? [] : [[output, `${output}${scaled}`] as const]),
  ]);
  return {
    ...network,
    metadata,
    graph: {
      ...graph,
      inputs: graph.inputs.map((value) => (value === input ? (front?.input ?? value) : value)),
      outputs: graph.outputs.map((value) =>
        back !== undefined && value.name === output ? { ...value, dtype: back.dtype } : value,
      ),
      nodes: [
        ...(front?.nodes ?? []),
        ...graph.nodes.map((node) => renamed(node, renames)),
        ...(back?.nodes ?? []),
      ],
      parameters: new Map([...graph.parameters, ...(front?.parameters ?? []), ...(back?.parameters ?? [])]),
    },
  };
}

/** The network inside a model that {@link withPreprocessing} made, and its record; any other model unchanged. */
export function withoutPreprocessing(model: Model): PreprocessedModel {
  const text = model.metadata.get(metadataKey);
  if (text === undefined) return { model, nodes: false, restore: (network) => network };
  const preprocessing = readPreprocessing(text, "preprocessing record of the model");
  const { graph } = model;
  const own = graph.nodes.filter(({ name }) => name.startsWith(prefix));
  const made = own.flatMap(({ outputs }) => outputs);
  const inner = made.find((name) => name.endsWith(inside));
  const last = own.flatMap(({ inputs }) => inputs).find((name) => name.endsWith(scaled));
  const renames = new Map([
    ...(inner === undefined ? [] : [[inner, inner.slice(0, -inside.length)] as const]),
    ...(last === undefined ? [] : [[last, last.slice(0, -scaled.length)] as const]),
  ]);
  const metadata = new Map(model.metadata);
  metadata.delete(metadataKey);
  // The network's input has the type of what the nodes before it computed.
  const taken = inner === undefined ? undefined : inferTypes(graph).get(inner);
  const nodes = own.length > 0;
  const output = last?.slice(0, -scaled.length);
  const options = { nodes, ...(output === undefined ? {} : { output }) };
  return {
    preprocessing,
    nodes,
    restore: (network) => withPreprocessing(network, preprocessing, options),
    model: {
      ...model,
      metadata,
      graph: {
        ...graph,
        inputs: graph.inputs.map((value) =>
          taken !== undefined && renames.get(inner ?? "") === value.name ? { ...value, ...taken } : value,
        ),
        outputs: graph.outputs.map((value) =>
          renames.get(last ?? "") === value.name ? { ...value, dtype: "float32" } : value,
        ),
        nodes: graph.nodes.filter((node) => !own.includes(node)).map((node) => renamed(node, renames)),
        parameters: new Map([...graph.parameters].filter(([name]) => !name.startsWith(prefix))),
      },
    },
  };
}

type WorkType = "float32" | "float64";

/** Nodes that implement a part of a record, with their parameters. */
class Nodes {
  /** The type of the numbers in the computation. */
  #dtype: WorkType;

  constructor(dtype: WorkType = "float32") {
    this.#dtype = dtype;
  }

  readonly nodes: Node[] = [];
  readonly parameters = new Map<string, Tensor>();

  parameter(name: string, tensor: Tensor): string {
    this.parameters.set(`${prefix}${name}`, tensor);
    return `${prefix}${name}`;
  }

  /** One value for each feature; only one if all are the same. */
  values(name: string, values: readonly number[], dims: readonly number[] = [values.length]): string {
    const [first = 0] = values;
    const same = values.every((value) => Object.is(value, first));
    const entries = same ? [first] : values;
    const data = this.#dtype === "float64" ? Float64Array.from(entries) : Float32Array.from(entries);
    return this.parameter(name, makeTensor(this.#dtype, same ? [] : dims, data));
  }

  /** The same value in another type, which later nodes use too. */
  cast(value: string, dtype: WorkType, what: string): string {
    if (dtype === this.#dtype) return value;
    this.#dtype = dtype;
    return this.emit("Cast", [value], what, { to: int(codeOfDtype(dtype)) });
  }

  emit(op: string, inputs: readonly string[], what: string, attributes: Attributes = {}): string {
    const name = `${prefix}${what}`;
    this.nodes.push({ name, op, domain: "", inputs, outputs: [name], attributes });
    return name;
  }

  /** (value - mean) / deviation */
  scale(value: string, scales: readonly Scale[], dims?: readonly number[]): string {
    const [means, deviations] = [scales.map(({ mean }) => mean), scales.map(({ deviation }) => deviation)];
    const exact = means.every((mean) => mean === 0)
      ? value
      : this.emit("Sub", [value, this.values("mean", means, dims)], "centered");
    const centered = this.cast(exact, "float32", "narrowed");
    if (deviations.every((deviation) => deviation === 1)) return centered;
    return this.emit("Div", [centered, this.values("deviation", deviations, dims)], "standardized");
  }

  /** The same nodes, the last of which computes `name`; undefined if there is nothing to do. */
  ending(name: string): Pick<Nodes, "nodes" | "parameters"> | undefined {
    const last = this.nodes.at(-1);
    if (last === undefined) return undefined;
    return { nodes: [...this.nodes.slice(0, -1), { ...last, outputs: [name] }], parameters: this.parameters };
  }
}

/** The input for raw rows, and the nodes that turn it into the network's input; undefined if the two are the same. */
function front(input: Value, shape: Shape, nodes: Nodes) {
  const made = nodes.ending(`${input.name}${inside}`);
  return made && { ...made, input: { ...input, shape } };
}

function tableNodes(input: Value, table: TableFeatures) {
  const { columns } = table;
  const dtype: WorkType = wideColumns(table).length > 0 ? "float64" : "float32";
  const nodes = new Nodes(dtype);
  const isTable = columns.every(({ kind }) => kind === "number");
  const features = columns.flatMap((column, place) =>
    featuresOf(column).map((feature) => ({ ...feature, place })),
  );
  let value = input.name;
  if (!isTable) {
    const places = int64(
      [features.length],
      features.map(({ place }) => place),
    );
    value = nodes.emit("Gather", [value, nodes.parameter("places", places)], "columns", { axis: int(1) });
  }
  if (features.some(({ missing }) => missing !== undefined)) {
    const fills = nodes.values(
      "fills",
      features.map(({ missing }) => missing ?? Number.NaN),
    );
    value = nodes.emit("Where", [nodes.emit("IsNaN", [value], "gaps"), fills, value], "filled");
  }
  const codes = isTable
    ? ""
    : nodes.values(
        "codes",
        features.map(({ code }) => code ?? -1),
      );
  const numbers = nodes.scale(value, features);
  if (isTable) value = numbers;
  else {
    const ones = nodes.emit("Cast", [nodes.emit("Equal", [value, codes], "equal")], "categories", {
      to: int(1),
    });
    const isCategory = nodes.parameter(
      "is-category",
      makeTensor(
        "bool",
        [features.length],
        Uint8Array.from(features, ({ code }) => (code === undefined ? 0 : 1)),
      ),
    );
    value = nodes.emit("Where", [isCategory, ones, numbers], "features");
  }
  const dims = input.shape.slice(1);
  if (dims.length !== 1 && isConcrete(dims))
    nodes.emit(
      "Reshape",
      [value, nodes.parameter("shape", int64([dims.length + 1], [0, ...dims]))],
      "shaped",
    );
  return front({ ...input, dtype }, [input.shape[0] ?? "batch", columns.length], nodes);
}

interface Feature extends Scale {
  readonly missing: number | undefined;
  /** Place of a category in its column's list. */
  readonly code?: number;
}

function featuresOf(column: FeatureColumn): readonly Feature[] {
  if (column.kind === "number") return [{ ...column, missing: column.missing }];
  const { categories, missing } = column;
  const fill = missing === undefined ? undefined : categories.indexOf(missing);
  return categories.map((_, code) => ({ mean: 0, deviation: 1, missing: fill, code }));
}

function imageNodes(input: Value, { divisor, axes, scales, dims }: ImageFeatures) {
  const nodes = new Nodes();
  const taken = input.shape.slice(1);
  const turned = axes === "hwc" && dims.length === 3;
  let value = input.name;
  if (turned) value = nodes.emit("Transpose", [value], "channels-first", { perm: ints([0, 3, 1, 2]) });
  if (turned && taken.length === 1) value = nodes.emit("Flatten", [value], "row", {});
  if (divisor !== 1)
    value = nodes.emit("Div", [value, nodes.parameter("divisor", float32([], [divisor]))], "divided");
  if (scales !== undefined) nodes.scale(value, scales, isConcrete(taken) ? taken : dims);
  const [batch = "batch"] = input.shape;
  const [channels = 1, height = 1, width = 1] = taken.length === 3 ? taken : dims;
  return front(input, turned ? [batch, height, width, channels] : input.shape, nodes);
}

function targetNodes(output: string, target: NumberTarget) {
  const nodes = new Nodes();
  const { mean, deviation } = target;
  const dtype: WorkType = isWide(target) ? "float64" : "float32";
  let value = nodes.cast(`${output}${scaled}`, dtype, "widened");
  const scalar = (name: string, number: number) => nodes.values(name, [number]);
  if (deviation !== 1) value = nodes.emit("Mul", [value, scalar("target-deviation", deviation)], "unscaled");
  if (mean !== 0) nodes.emit("Add", [value, scalar("target-mean", mean)], "target");
  const made = nodes.ending(output);
  return made && { ...made, dtype };
}

function renamed(node: Node, names: ReadonlyMap<string, string>): Node {
  if (names.size === 0) return node;
  const change = (list: readonly string[]) => list.map((name) => names.get(name) ?? name);
  const attributes = Object.entries(node.attributes).map(([key, attribute]) => {
    if (attribute.kind !== "graph") return [key, attribute] as const;
    const { nodes, outputs } = attribute.value;
    // A branch also sees the values around it, and may output one of them.
    const value = {
      ...attribute.value,
      nodes: nodes.map((inner) => renamed(inner, names)),
      outputs: outputs.map((one) => ({ ...one, name: names.get(one.name) ?? one.name })),
    };
    return [key, { ...attribute, value }] as const;
  });
  return {
    ...node,
    inputs: change(node.inputs),
    outputs: change(node.outputs),
    attributes: Object.fromEntries(attributes),
  };
}
