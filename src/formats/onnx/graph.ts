import type { DeclaredValue, Graph, Node, Notes, Subgraph, Value, ValueType } from "../../graph/model.ts";
import { inOrder } from "../../graph/order.ts";
import { inferInto, type Stated, typesAround } from "../../ops/infer.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { checkLimit } from "../limits.ts";
import type { Reader } from "../protobuf-reader.ts";
import { graphFields } from "./fields.ts";
import { type NodePlace, nameNodes, readNode } from "./node.ts";
import { addOnce, fieldsOf, NotesReader, type Reading } from "./reading.ts";
import { readTensor } from "./tensor.ts";
import { nameOfValue, readValue, refuseOtherThanTensor } from "./value.ts";

/** A graph as stated in its file, with the messages (ValueInfoProto) that describe its intermediate values. */
export interface ReadGraph extends Subgraph {
  readonly described: readonly Reader[];
}

/**
 * Reads a GraphProto. Initializers listed among the inputs (IR version 3 required that) are parameters only.
 * Nodes without a name are named after their operator and position; nodes out of order are sorted.
 */
export function readGraph(reader: Reader, reading: Reading, place: NodePlace): ReadGraph {
  checkLimit(reading.limits, "maxDepth", "graph", place.depth);
  if (place.depth === 0) refuseOtherOutputs(reader.fork(), reading);
  const notes = new NotesReader();
  let name = "";
  const nodes: Node[] = [];
  const parameters = new Map<string, Tensor>();
  const parameterNotes = new Map<string, Notes>();
  const inputs: DeclaredValue[] = [];
  const outputs: DeclaredValue[] = [];
  const described: Reader[] = [];
  const readInner = (inner: Reader) =>
    subgraph(readGraph(inner, reading, { ...place, depth: place.depth + 1 }));
  for (const field of fieldsOf(reader)) {
    switch (field.number) {
      case graphFields.name:
        name = reading.name(reader, field);
        break;
      case graphFields.node:
        nodes.push(readNode(reader.message(field), nodes.length, reading, place, readInner));
        break;
      case graphFields.initializer: {
        reading.count("maxParameters");
        const read = readTensor(reader.message(field), reading, "initializer without a name");
        if (read.name === "") {
          throw new EspalierError("INVALID_MODEL", {
            thing: "graph",
            rule: "every initializer needs a name",
          });
        }
        addOnce(parameters, read.name, read.tensor, `initializer "${read.name}"`);
        if (read.notes !== undefined) parameterNotes.set(read.name, read.notes);
        break;
      }
      case graphFields.input:
        reading.count("maxValues");
        inputs.push(readValue(reader.message(field), reading, "input"));
        break;
      case graphFields.output:
        reading.count("maxValues");
        outputs.push(readValue(reader.message(field), reading, "output"));
        break;
      case graphFields.valueInfo:
        reading.count("maxValues");
        described.push(reader.message(field));
        break;
      case graphFields.docString:
        notes.doc(reading.text(reader, field));
        break;
      case graphFields.metadataProps:
        notes.entry(reading.entry(reader.message(field)));
        break;
      case graphFields.sparseInitializer:
        throw new EspalierError("UNSUPPORTED_TYPE", {
          thing: `graph "${name}"`,
          rule: "initializers must be dense",
          received: "a sparse one",
        });
      default:
        reader.skip(field);
    }
  }
  return {
    name,
    nodes: inOrder(nameNodes(nodes, reading)),
    inputs: inputs.filter((value) => !parameters.has(value.name)),
    outputs,
    parameters,
    ...notes.finish(),
    ...(parameterNotes.size === 0 ? {} : { parameterNotes }),
    described,
  };
}

/** In a file, outputs come after the weights; one that is a sequence is refused before the weights are read. */
function refuseOtherOutputs(reader: Reader, reading: Reading): void {
  for (const field of fieldsOf(reader)) {
    if (field.number === graphFields.output) refuseOtherThanTensor(reader.message(field), reading, "output");
    else reader.skip(field);
  }
}

function subgraph({ described: _, ...graph }: ReadGraph): Subgraph {
  return graph;
}

/**
 * The main graph with every type known: a declared output without one gets what the operators' rules infer or, failing
 * that, what the file says about the value elsewhere. Stated types of values that no rule describes are kept. Throws
 * `INVALID_MODEL`.
 */
export function completeGraph({ described, ...graph }: ReadGraph, reading: Reading): Graph {
  const inputs = graph.inputs.map((value) => complete(value, "input"));
  const stated = new StatedTypes(described, graph.outputs, reading);
  const types = infer({ ...graph, inputs, stated });
  const outputs = graph.outputs.map((value) =>
    complete({ ...typeOf(types.get(value.name)), ...value }, "output"),
  );
  return { ...graph, inputs, outputs, ...(stated.used.size === 0 ? {} : { stated: stated.used }) };
}

function typeOf(type: ValueType | undefined): Partial<ValueType> {
  return type === undefined ? {} : { dtype: type.dtype, shape: type.shape };
}

/** The types that a file states for its intermediate values and outputs, read on demand. */
class StatedTypes implements Pick<ReadonlyMap<string, ValueType>, "get"> {
  readonly #readers: ReadonlyMap<string, Reader>;
  readonly #outputs: ReadonlyMap<string, DeclaredValue>;
  readonly #reading: Reading;
  readonly used = new Map<string, ValueType>();

  constructor(described: readonly Reader[], outputs: readonly DeclaredValue[], reading: Reading) {
    this.#readers = new Map(described.map((reader) => [nameOfValue(reader.fork(), reading), reader]));
    this.#outputs = new Map(outputs.map((value) => [value.name, value]));
    this.#reading = reading;
  }

  get(name: string): ValueType | undefined {
    const reader = this.#readers.get(name);
    const said = [this.#outputs.get(name), reader === undefined ? undefined : this.#read(reader.fork())];
    const value = said.find((one) => one !== undefined && isComplete(one));
    if (value === undefined || !isComplete(value)) return undefined;
    const type = { dtype: value.dtype, shape: value.shape };
    // Outputs have theirs already.
    if (!this.#outputs.has(name)) this.used.set(name, type);
    return type;
  }

  /** Undefined if it is not a tensor, or its element type is unsupported. */
  #read(reader: Reader): DeclaredValue | undefined {
    try {
      return readValue(reader, this.#reading, "value");
    } catch (error) {
      if (error instanceof EspalierError && error.code === "UNSUPPORTED_TYPE") return undefined;
      throw error;
    }
  }
}

function isComplete(value: DeclaredValue): value is Value {
  return value.dtype !== undefined && value.shape !== undefined;
}

function complete(value: DeclaredValue, role: string): Value {
  if (isComplete(value)) return value;
  throw new EspalierError("INVALID_MODEL", {
    thing: `${role} "${value.name}"`,
    rule: "needs an element type and a shape",
    remedy: "Declare it, for instance with onnx.shape_inference.infer_shapes.",
  });
}

/** Types as far as the operators' rules go: a value that they do not reach has none. */
function infer({
  inputs,
  parameters,
  nodes,
  stated,
}: Omit<Graph, "outputs" | "stated" | "name"> & { readonly stated: Stated }): ReadonlyMap<string, ValueType> {
  const types = typesAround(inputs, parameters);
  try {
    for (const node of nodes) inferInto(types, node, parameters, stated);
  } catch (error) {
    // Code that needs the types reports what is wrong.
    if (!(error instanceof EspalierError)) throw error;
  }
  return types;
}
