import type { Attribute, Node } from "../../graph/model.ts";
import { inOrder } from "../../graph/order.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Reader } from "../protobuf-reader.ts";
import { readAttribute } from "./attribute.ts";
import { functionFields } from "./fields.ts";
import { readGraph } from "./graph.ts";
import { nameNodes, readNode } from "./node.ts";
import { addOpset, readOpset } from "./opset.ts";
import { addOnce, fieldsOf, type Reading, standardDomain } from "./reading.ts";

/** An operator that a model defines by its own nodes. */
export interface LocalFunction {
  /** The key of its calls: see {@link functionKey}. */
  readonly key: string;
  readonly name: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly Node[];
  /** Values of attributes that a call leaves out. */
  readonly defaults: ReadonlyMap<string, Attribute>;
  readonly opsets: ReadonlyMap<string, number>;
}

/** A function is called by domain, name and overload. */
export function functionKey(domain: string, name: string, overload: string): string {
  return JSON.stringify([domain, name, overload]);
}

/** Reads a FunctionProto. Throws `INVALID_MODEL` and what reading nodes throws. */
export function readFunction(reader: Reader, reading: Reading): LocalFunction {
  reading.count("maxFunctions");
  let name = "";
  let domain = "";
  let overload = "";
  const inputs: string[] = [];
  const outputs: string[] = [];
  const nodes: Node[] = [];
  const defaults = new Map<string, Attribute>();
  const opsets = new Map<string, number>();
  const place = { depth: 0, inFunction: true };
  const readInner = (inner: Reader) => {
    const { described: _, ...graph } = readGraph(inner, reading, { ...place, depth: 1 });
    return graph;
  };
  for (const field of fieldsOf(reader)) {
    switch (field.number) {
      case functionFields.name:
        name = reading.name(reader, field);
        break;
      case functionFields.domain:
        domain = standardDomain(reading.name(reader, field));
        break;
      case functionFields.overload:
        overload = reading.name(reader, field);
        break;
      case functionFields.input:
        reading.count("maxValues");
        inputs.push(reading.name(reader, field));
        break;
      case functionFields.output:
        reading.count("maxValues");
        outputs.push(reading.name(reader, field));
        break;
      case functionFields.node:
        nodes.push(readNode(reader.message(field), nodes.length, reading, place, readInner));
        break;
      case functionFields.attributeProto: {
        reading.count("maxAttributes");
        const thing = `function "${name}"`;
        const [key, attribute] = readAttribute(reader.message(field), reading, thing, readInner);
        if (attribute.kind === "reference") {
          throw new EspalierError("INVALID_MODEL", {
            thing,
            rule: "its defaults must be values",
            received: key,
          });
        }
        addOnce(defaults, key, attribute, `default of ${thing} for "${key}"`);
        break;
      }
      case functionFields.opsetImport:
        reading.count("maxEntries");
        addOpset(opsets, ...readOpset(reader.message(field), reading), `function "${name}"`);
        break;
      default:
        reader.skip(field);
    }
  }
  if (name === "") throw new EspalierError("INVALID_MODEL", { thing: "function", rule: "needs a name" });
  return {
    key: functionKey(domain, name, overload),
    name,
    domain,
    inputs,
    outputs,
    nodes: inOrder(nameNodes(nodes, reading)),
    defaults,
    opsets,
  };
}
