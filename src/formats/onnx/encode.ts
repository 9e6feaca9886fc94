import type { Shape } from "../../graph/dim.ts";
import type { Attribute, DeclaredValue, Model, Node, Notes, Subgraph } from "../../graph/model.ts";
import { nestBranches } from "../../ops/rewrites/nest-branches.ts";
import { dataTypes } from "../../ops/rules/element-types.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { Writer } from "../protobuf-writer.ts";
import { ExternalTensors } from "./external-tensors.ts";
import {
  attributeFields,
  attributeTypes,
  dimensionFields,
  entryFields,
  graphFields,
  modelFields,
  nodeFields,
  opsetFields,
  shapeFields,
  tensorFields,
  tensorTypeFields,
  typeFields,
  valueFields,
} from "./fields.ts";
import { writeTensor } from "./write-tensor.ts";

/** From this IR version on, an initializer need not be listed among the graph's inputs. */
export const firstIrWithFreeInitializers = 4;

/** Protobuf's own limit for one message. */
const maxMessageBytes = 2 ** 31 - 1;

/**
 * The bytes of an ONNX file with `model`: IR version and opsets as stated in the model, tensors as raw little-endian
 * data. Intermediate types are left out; every reader infers them.
 * Throws `TOO_LARGE` for 2 GiB or more, protobuf's limit.
 */
export function encodeModel(model: Model): Uint8Array {
  return write(model).finish();
}

/**
 * The same bytes in pieces, so that a large model goes to a file without a copy. Large pieces are views of the model's
 * tensors. Throws `TOO_LARGE` at once, before the first piece.
 */
export function encodeModelChunks(model: Model): Iterable<Uint8Array> {
  return write(model).chunks();
}

/** The pieces of two files. */
export interface SplitModel {
  /** The ONNX file. */
  readonly model: Iterable<Uint8Array>;
  /** The file next to it, with the large initializers. */
  readonly data: Iterable<Uint8Array>;
}

/**
 * A model in two files, as ONNX's external data: `dataFile` is the plain name of the second one, in the same folder.
 * It contains every initializer of at least 1024 bytes, each at a multiple of 4096 bytes, so that it can be memory-mapped.
 */
export function splitModel(model: Model, dataFile: string): SplitModel {
  const external = new ExternalTensors(dataFile);
  return { model: write(model, external).chunks(), data: external.chunks() };
}

function write(model: Model, external?: ExternalTensors): Writer {
  const writer = new Writer();
  writer.int(modelFields.irVersion, model.irVersion);
  writeText(writer, modelFields.producerName, model.producer);
  writeText(writer, modelFields.producerVersion, model.producerVersion);
  writeText(writer, modelFields.domain, model.domain);
  if (model.version !== undefined) writer.int(modelFields.modelVersion, model.version);
  writeText(writer, modelFields.docString, model.doc);
  writer.message(modelFields.graph, () =>
    writeGraph(writer, nestBranches(model.graph), model.irVersion, external),
  );
  for (const [domain, version] of model.opsets) {
    writer.message(modelFields.opsetImport, () => {
      writeText(writer, opsetFields.domain, domain);
      writer.int(opsetFields.version, version);
    });
  }
  writeEntries(writer, modelFields.metadataProps, model.metadata);
  if (writer.length > maxMessageBytes) {
    throw new EspalierError("TOO_LARGE", {
      thing: `model "${model.graph.name}"`,
      rule: `an ONNX file may have at most ${maxMessageBytes} bytes`,
      received: writer.length,
      remedy: "Save it with externalData, which puts the parameters into a separate file.",
    });
  }
  return writer;
}

function writeGraph(
  writer: Writer,
  graph: Subgraph,
  irVersion: number,
  external: ExternalTensors | undefined,
): void {
  for (const node of graph.nodes) {
    writer.message(graphFields.node, () => writeNode(writer, node, irVersion));
  }
  writer.text(graphFields.name, graph.name);
  for (const [name, tensor] of graph.parameters) {
    writer.message(graphFields.initializer, () => {
      writeTensor(writer, tensor, name, external);
      writeNotes(writer, graph.parameterNotes?.get(name), tensorFields);
    });
  }
  writeText(writer, graphFields.docString, graph.notes?.doc);
  for (const value of graph.inputs) writer.message(graphFields.input, () => writeValue(writer, value));
  if (irVersion < firstIrWithFreeInitializers) {
    for (const [name, { dtype, dims }] of graph.parameters) {
      writer.message(graphFields.input, () => writeValue(writer, { name, dtype, shape: dims }));
    }
  }
  for (const value of graph.outputs) writer.message(graphFields.output, () => writeValue(writer, value));
  for (const value of statedValues(graph)) {
    writer.message(graphFields.valueInfo, () => writeValue(writer, value));
  }
  writeEntries(writer, graphFields.metadataProps, graph.notes?.metadata);
}

/** Types that no rule gives must be written: a reader cannot infer them. */
function statedValues({ stated, nodes }: Subgraph): DeclaredValue[] {
  if (stated === undefined) return [];
  return nodes.flatMap((node) =>
    node.outputs.flatMap((name) => {
      const type = stated.get(name);
      return type === undefined ? [] : [{ name, dtype: type.dtype, shape: type.shape }];
    }),
  );
}

function writeNode(writer: Writer, node: Node, irVersion: number): void {
  for (const name of node.inputs) writer.text(nodeFields.input, name);
  for (const name of node.outputs) writer.text(nodeFields.output, name);
  writeText(writer, nodeFields.name, node.name);
  writer.text(nodeFields.opType, node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    writer.message(nodeFields.attribute, () => {
      writer.text(attributeFields.name, name);
      writeAttribute(writer, attribute, irVersion);
      writer.int(attributeFields.type, attributeTypes[attribute.kind]);
    });
  }
  writeText(writer, nodeFields.domain, node.domain);
  writeNotes(writer, node.notes, nodeFields);
}

function writeAttribute(writer: Writer, attribute: Attribute, irVersion: number): void {
  switch (attribute.kind) {
    case "int":
      writer.int(attributeFields.i, attribute.value);
      break;
    case "float":
      writer.float(attributeFields.f, attribute.value);
      break;
    case "string":
      writer.text(attributeFields.s, attribute.value);
      break;
    case "tensor":
      writer.message(attributeFields.t, () => writeTensor(writer, attribute.value));
      break;
    case "graph":
      writer.message(attributeFields.g, () => writeGraph(writer, attribute.value, irVersion, undefined));
      break;
    case "ints":
      for (const value of attribute.value) writer.int(attributeFields.ints, value);
      break;
    case "floats":
      for (const value of attribute.value) writer.float(attributeFields.floats, value);
      break;
    case "strings":
      for (const value of attribute.value) writer.text(attributeFields.strings, value);
      break;
  }
}

function writeValue(writer: Writer, { name, dtype, shape, notes }: DeclaredValue): void {
  writer.text(valueFields.name, name);
  if (dtype !== undefined || shape !== undefined) {
    writer.message(valueFields.type, () => {
      writer.message(typeFields.tensorType, () => {
        if (dtype !== undefined) writer.int(tensorTypeFields.elemType, dataTypes[dtype]);
        if (shape !== undefined) writer.message(tensorTypeFields.shape, () => writeShape(writer, shape));
      });
    });
  }
  writeNotes(writer, notes, valueFields);
}

function writeShape(writer: Writer, shape: Shape): void {
  for (const dim of shape) {
    writer.message(shapeFields.dim, () => {
      if (typeof dim === "number") writer.int(dimensionFields.dimValue, dim);
      else writer.text(dimensionFields.dimParam, dim);
    });
  }
}

function writeText(writer: Writer, field: number, text: string | undefined): void {
  if (text !== undefined && text !== "") writer.text(field, text);
}

function writeNotes(
  writer: Writer,
  notes: Notes | undefined,
  fields: { readonly docString: number; readonly metadataProps: number },
): void {
  writeText(writer, fields.docString, notes?.doc);
  writeEntries(writer, fields.metadataProps, notes?.metadata);
}

function writeEntries(writer: Writer, field: number, entries: ReadonlyMap<string, string> = new Map()): void {
  for (const [key, value] of entries) {
    writer.message(field, () => {
      writer.text(entryFields.key, key);
      writer.text(entryFields.value, value);
    });
  }
}
