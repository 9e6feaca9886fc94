import type { Attribute, Node, Subgraph } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Reader } from "../protobuf-reader.ts";
import { readAttribute } from "./attribute.ts";
import { nodeFields } from "./fields.ts";
import { fieldsOf, NotesReader, type Reading, standardDomain } from "./reading.ts";

/** Where a node is. */
export interface NodePlace {
  /** Number of graphs around its own. */
  readonly depth: number;
  /** Whether attributes may refer to a call's. */
  readonly inFunction: boolean;
}

/** Reads a NodeProto, the `index`-th of its graph. */
export function readNode(
  reader: Reader,
  index: number,
  reading: Reading,
  place: NodePlace,
  readGraph: (reader: Reader) => Subgraph,
): Node {
  reading.count("maxNodes");
  const notes = new NotesReader();
  let name = "";
  let op = "";
  let domain = "";
  let overload = "";
  const inputs: string[] = [];
  const outputs: string[] = [];
  const pending: Reader[] = [];
  for (const field of fieldsOf(reader)) {
    switch (field.number) {
      case nodeFields.input:
        reading.count("maxValues");
        inputs.push(reading.name(reader, field));
        break;
      case nodeFields.output:
        reading.count("maxValues");
        outputs.push(reading.name(reader, field));
        break;
      case nodeFields.name:
        name = reading.name(reader, field);
        break;
      case nodeFields.opType:
        op = reading.name(reader, field);
        break;
      case nodeFields.domain:
        domain = standardDomain(reading.name(reader, field));
        break;
      case nodeFields.overload:
        overload = reading.name(reader, field);
        break;
      case nodeFields.attribute:
        reading.count("maxAttributes");
        pending.push(reader.message(field));
        break;
      case nodeFields.docString:
        notes.doc(reading.text(reader, field));
        break;
      case nodeFields.metadataProps:
        notes.entry(reading.entry(reader.message(field)));
        break;
      default:
        reader.skip(field);
    }
  }
  const thing = `node ${name === "" ? index : `"${name}"`} (${op})`;
  if (op === "") throw new EspalierError("INVALID_MODEL", { thing, rule: "needs an operator" });
  const attributes = new Map<string, Attribute>();
  const references = new Map<string, string>();
  for (const part of pending) {
    const [key, attribute] = readAttribute(part, reading, thing, readGraph);
    if (attributes.has(key) || references.has(key)) {
      throw new EspalierError("INVALID_MODEL", { thing, rule: "attributes must differ", received: key });
    }
    if (attribute.kind !== "reference") attributes.set(key, attribute);
    else if (place.inFunction) references.set(key, attribute.value);
    else {
      const rule = "may refer to an attribute of a call only in a function";
      throw new EspalierError("INVALID_MODEL", { thing, rule, received: attribute.value });
    }
  }
  const node: Node = {
    name,
    op,
    domain,
    inputs,
    outputs,
    // fromEntries makes own properties for any key, even "__proto__".
    attributes: Object.fromEntries(attributes),
    ...notes.finish(),
  };
  if (overload !== "" || references.size > 0) reading.calls.set(node, { overload, references });
  return node;
}

/** Names unnamed nodes after their operator and position. */
export function nameNodes(nodes: readonly Node[], reading: Reading): Node[] {
  const used = new Set(nodes.map((node) => node.name));
  return nodes.map((node, index) => {
    if (node.name !== "") return node;
    let name = `${node.op}_${index}`;
    while (used.has(name)) name += "_";
    used.add(name);
    const named = { ...node, name };
    const call = reading.calls.get(node);
    if (call !== undefined) reading.calls.set(named, call);
    return named;
  });
}
