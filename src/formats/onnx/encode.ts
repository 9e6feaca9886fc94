import type { Shape } from "../../graph/dim.ts";
import type { Attribute, Graph, Model, Node, Value } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Writer } from "../protobuf-writer.ts";
import { bytesOf } from "../raw.ts";
import {
  attributeFields,
  attributeTypes,
  dataTypes,
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

/** From this IR version on, an initialiser need not be listed among the graph's inputs. */
export const firstIrWithFreeInitializers = 4;

/** Protobuf's own limit for one message. */
const maxMessageBytes = 2 ** 31 - 1;

/**
 * The bytes of an ONNX file that holds `model`: IR version and opsets as the model states them, tensors as
 * raw little-endian data. Intermediate types are left out; every reader infers them.
 * Throws `TOO_LARGE` over 2 GiB, protobuf's limit.
 */
export function encodeModel(model: Model): Uint8Array {
  const writer = new Writer();
  writer.int(modelFields.irVersion, model.irVersion);
  if (model.producer !== "") writer.text(modelFields.producerName, model.producer);
  writer.message(modelFields.graph, () => writeGraph(writer, model.graph, model.irVersion));
  for (const [domain, version] of model.opsets) {
    writer.message(modelFields.opsetImport, () => {
      if (domain !== "") writer.text(opsetFields.domain, domain);
      writer.int(opsetFields.version, version);
    });
  }
  for (const [key, value] of model.metadata) {
    writer.message(modelFields.metadataProps, () => {
      writer.text(entryFields.key, key);
      writer.text(entryFields.value, value);
    });
  }
  if (writer.length > maxMessageBytes) {
    throw new EspalierError("TOO_LARGE", {
      thing: `model "${model.graph.name}"`,
      rule: `an ONNX file may have at most ${maxMessageBytes} bytes`,
      received: writer.length,
      remedy: "Keep the parameters in a safetensors file instead.",
    });
  }
  return writer.finish();
}

function writeGraph(writer: Writer, graph: Graph, irVersion: number): void {
  for (const node of graph.nodes) {
    writer.message(graphFields.node, () => writeNode(writer, node, irVersion));
  }
  writer.text(graphFields.name, graph.name);
  for (const [name, tensor] of graph.parameters) {
    writer.message(graphFields.initializer, () => writeTensor(writer, tensor, name));
  }
  for (const value of graph.inputs) writer.message(graphFields.input, () => writeValue(writer, value));
  if (irVersion < firstIrWithFreeInitializers) {
    for (const [name, { dtype, dims }] of graph.parameters) {
      writer.message(graphFields.input, () => writeValue(writer, { name, dtype, shape: dims }));
    }
  }
  for (const value of graph.outputs) writer.message(graphFields.output, () => writeValue(writer, value));
}

function writeNode(writer: Writer, node: Node, irVersion: number): void {
  for (const name of node.inputs) writer.text(nodeFields.input, name);
  for (const name of node.outputs) writer.text(nodeFields.output, name);
  if (node.name !== "") writer.text(nodeFields.name, node.name);
  writer.text(nodeFields.opType, node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    writer.message(nodeFields.attribute, () => {
      writer.text(attributeFields.name, name);
      writeAttribute(writer, attribute, irVersion);
      writer.int(attributeFields.type, attributeTypes[attribute.kind]);
    });
  }
  if (node.domain !== "") writer.text(nodeFields.domain, node.domain);
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
      writer.message(attributeFields.g, () => writeGraph(writer, attribute.value, irVersion));
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

function writeTensor(writer: Writer, tensor: Tensor, name = ""): void {
  for (const dim of tensor.dims) writer.int(tensorFields.dims, dim);
  writer.int(tensorFields.dataType, dataTypes[tensor.dtype]);
  if (name !== "") writer.text(tensorFields.name, name);
  writer.bytes(tensorFields.rawData, bytesOf(tensor.data));
}

function writeValue(writer: Writer, value: Value): void {
  writer.text(valueFields.name, value.name);
  writer.message(valueFields.type, () => {
    writer.message(typeFields.tensorType, () => {
      writer.int(tensorTypeFields.elemType, dataTypes[value.dtype]);
      writer.message(tensorTypeFields.shape, () => writeShape(writer, value.shape));
    });
  });
}

function writeShape(writer: Writer, shape: Shape): void {
  for (const dim of shape) {
    writer.message(shapeFields.dim, () => {
      if (typeof dim === "number") writer.int(dimensionFields.dimValue, dim);
      else writer.text(dimensionFields.dimParam, dim);
    });
  }
}
