import { GraphBuilder } from "../../graph/builder.ts";
import type { Attribute, Graph, Node, Value } from "../../graph/model.ts";
import { inferNode } from "../../ops/index.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { checkLimit, type Limits } from "../limits.ts";
import type { Reader } from "../protobuf-reader.ts";
import { readAttribute } from "./attribute.ts";
import { graphFields, nodeFields } from "./fields.ts";
import type { Symbols } from "./symbols.ts";
import { readTensor } from "./tensor.ts";
import { type DeclaredValue, fieldsOf, readValue } from "./value.ts";

/** What is counted and named across all graphs of one file. */
export interface Reading {
  readonly limits: Limits;
  readonly symbols: Symbols;
  nodes: number;
}

/**
 * Reads a GraphProto. Initialisers listed among the inputs (IR version 3 asked for that) are parameters only.
 * A node without a name is named after its operator and position. A declared output without a shape gets
 * the one that the operators' rules infer.
 */
export function readGraph(reader: Reader, reading: Reading, depth = 0): Graph {
  const { limits, symbols } = reading;
  checkLimit(limits, "maxDepth", "graph", depth);
  let name = "";
  const nodes: Node[] = [];
  const parameters = new Map<string, Tensor>();
  const inputs: DeclaredValue[] = [];
  const outputs: DeclaredValue[] = [];
  for (const field of fieldsOf(reader)) {
    switch (field.number) {
      case graphFields.name:
        name = reader.text(field);
        break;
      case graphFields.node:
        checkLimit(limits, "maxNodes", "model", ++reading.nodes);
        nodes.push(readNode(reader.message(field), nodes.length, reading, depth));
        break;
      case graphFields.initializer: {
        const { name: key, tensor } = readTensor(reader.message(field), limits, "initialiser without a name");
        if (key === "" || parameters.has(key)) {
          const rule = key === "" ? "every initialiser needs a name" : "is defined twice";
          throw new EspalierError("INVALID_MODEL", {
            thing: key === "" ? "graph" : `initialiser "${key}"`,
            rule,
          });
        }
        parameters.set(key, tensor);
        break;
      }
      case graphFields.input:
        inputs.push(readValue(reader.message(field), limits, symbols, "input"));
        break;
      case graphFields.output:
        outputs.push(readValue(reader.message(field), limits, symbols, "output"));
        break;
      case graphFields.sparseInitializer:
        throw new EspalierError("UNSUPPORTED_TYPE", {
          thing: `graph "${name}"`,
          rule: "initialisers must be dense",
          received: "a sparse one",
        });
      default:
        reader.skip(field);
    }
    checkLimit(limits, "maxItems", "graph", Math.max(inputs.length, outputs.length, parameters.size));
  }
  const known = inputs
    .filter((value) => !parameters.has(value.name))
    .map((value) => complete(value, "input"));
  const named = nameNodes(nodes);
  const graph = { name, nodes: named, inputs: known, parameters };
  return { ...graph, outputs: completeOutputs(outputs, graph) };
}

function readNode(reader: Reader, index: number, reading: Reading, depth: number): Node {
  const { limits } = reading;
  let name = "";
  let op = "";
  let domain = "";
  const inputs: string[] = [];
  const outputs: string[] = [];
  const pending: Reader[] = [];
  for (const field of fieldsOf(reader)) {
    switch (field.number) {
      case nodeFields.input:
        inputs.push(reader.text(field));
        break;
      case nodeFields.output:
        outputs.push(reader.text(field));
        break;
      case nodeFields.name:
        name = reader.text(field);
        break;
      case nodeFields.opType:
        op = reader.text(field);
        break;
      case nodeFields.domain:
        domain = standardDomain(reader.text(field));
        break;
      case nodeFields.attribute:
        pending.push(reader.message(field));
        break;
      default:
        reader.skip(field);
    }
    checkLimit(limits, "maxItems", "node", Math.max(inputs.length, outputs.length, pending.length));
  }
  const thing = `node ${name === "" ? index : `"${name}"`} (${op})`;
  if (op === "") throw new EspalierError("INVALID_MODEL", { thing, rule: "needs an operator" });
  const attributes = new Map<string, Attribute>();
  for (const part of pending) {
    const [key, attribute] = readAttribute(part, limits, thing, (inner) =>
      readGraph(inner, reading, depth + 1),
    );
    if (attributes.has(key)) {
      throw new EspalierError("INVALID_MODEL", { thing, rule: "attributes must differ", received: key });
    }
    attributes.set(key, attribute);
  }
  // fromEntries makes own properties whatever the key, "__proto__" too.
  return { name, op, domain, inputs, outputs, attributes: Object.fromEntries(attributes) };
}

/** "ai.onnx" is another name of the standard domain, "". */
export function standardDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

function nameNodes(nodes: readonly Node[]): Node[] {
  const used = new Set(nodes.map((node) => node.name));
  return nodes.map((node, index) => {
    if (node.name !== "") return node;
    let name = `${node.op}_${index}`;
    while (used.has(name)) name += "_";
    used.add(name);
    return { ...node, name };
  });
}

function complete({ name, dtype, shape }: DeclaredValue, role: string): Value {
  if (dtype !== undefined && shape !== undefined) return { name, dtype, shape };
  throw new EspalierError("INVALID_MODEL", {
    thing: `${role} "${name}"`,
    rule: "needs an element type and a shape",
    remedy: "Declare it, for instance with onnx.shape_inference.infer_shapes.",
  });
}

function completeOutputs(outputs: readonly DeclaredValue[], graph: Omit<Graph, "outputs">): Value[] {
  if (outputs.every((value) => value.dtype !== undefined && value.shape !== undefined)) {
    return outputs.map((value) => complete(value, "output"));
  }
  const builder = new GraphBuilder(inferNode);
  try {
    for (const value of graph.inputs) builder.input(value.name, value);
    for (const [name, tensor] of graph.parameters) builder.parameter(name, tensor);
    for (const node of graph.nodes) builder.add(node);
  } catch {
    // As far as it goes: an output that was not reached is refused below for what it lacks.
  }
  return outputs.map((value) => {
    const inferred = builder.has(value.name) ? builder.typeOf(value.name) : undefined;
    return complete(
      { name: value.name, dtype: value.dtype ?? inferred?.dtype, shape: value.shape ?? inferred?.shape },
      "output",
    );
  });
}
