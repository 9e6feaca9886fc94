import type { Attribute, Subgraph } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { checkLimit } from "../limits.ts";
import type { Reader } from "../protobuf-reader.ts";
import { attributeFields, attributeTypes, otherAttributeTypes } from "./fields.ts";
import { fieldsOf, type Reading } from "./reading.ts";
import { readTensor } from "./tensor.ts";

const kindOfType = new Map<number, Attribute["kind"]>(
  (Object.entries(attributeTypes) as [Attribute["kind"], number][]).map(([kind, type]) => [type, kind]),
);

/** In the body of a function: an attribute whose value is that of the call's attribute `value`. */
export interface Reference {
  readonly kind: "reference";
  readonly value: string;
}

/**
 * Reads an AttributeProto of the node that `node` describes. Throws `UNSUPPORTED_TYPE`, naming node and
 * attribute, for a kind that models do not support and for an integer that a JavaScript number cannot represent.
 */
export function readAttribute(
  reader: Reader,
  reading: Reading,
  node: string,
  readGraph: (reader: Reader) => Subgraph,
): [name: string, attribute: Attribute | Reference] {
  const { limits } = reading;
  let name = "";
  let type = 0;
  let float = 0;
  let int = 0;
  let string = "";
  let reference = "";
  let tensor: Reader | undefined;
  let graph: Reader | undefined;
  const floats: number[] = [];
  const ints: number[] = [];
  const strings: string[] = [];
  for (const field of fieldsOf(reader)) {
    switch (field.number) {
      case attributeFields.name:
        name = reading.name(reader, field);
        break;
      case attributeFields.type:
        type = reader.int(field);
        break;
      case attributeFields.f:
        float = reader.float(field);
        break;
      case attributeFields.i:
        int = reader.int(field);
        break;
      case attributeFields.s:
        string = reading.text(reader, field);
        break;
      case attributeFields.t:
        tensor = reader.message(field);
        break;
      case attributeFields.g:
        graph = reader.message(field);
        break;
      case attributeFields.floats:
        reader.floats(field, floats, limits.maxItems);
        break;
      case attributeFields.ints:
        reader.ints(field, ints, limits.maxItems);
        break;
      case attributeFields.strings:
        strings.push(reading.text(reader, field));
        break;
      case attributeFields.refAttrName:
        reference = reading.name(reader, field);
        break;
      default:
        reader.skip(field);
    }
    checkLimit(limits, "maxItems", node, Math.max(floats.length, ints.length, strings.length));
  }
  const thing = `attribute ${name} of ${node}`;
  if (name === "") {
    throw new EspalierError("INVALID_MODEL", { thing: node, rule: "every attribute needs a name" });
  }
  if (reference !== "") return [name, { kind: "reference", value: reference }];
  const missing = (what: string): never => {
    throw new EspalierError("INVALID_MODEL", { thing, rule: `must contain a ${what}`, received: "none" });
  };
  const kind = kindOfType.get(type);
  switch (kind) {
    case "float":
      return [name, { kind, value: float }];
    case "int":
      return [name, { kind, value: checkInt(thing, int) }];
    case "string":
      return [name, { kind, value: string }];
    case "tensor":
      return [name, { kind, value: readTensor(tensor ?? missing(kind), reading, thing).tensor }];
    case "graph":
      return [name, { kind, value: readGraph(graph ?? missing(kind)) }];
    case "floats":
      return [name, { kind, value: floats }];
    case "ints":
      return [name, { kind, value: ints.map((value) => checkInt(thing, value)) }];
    case "strings":
      return [name, { kind, value: strings }];
    case undefined:
      throw new EspalierError("UNSUPPORTED_TYPE", {
        thing,
        rule: "must be of a kind that espalier supports",
        received: otherAttributeTypes[type] ?? type,
        remedy: `Supported: ${Object.keys(attributeTypes).join(", ")}.`,
      });
  }
}

/** The extremes of int64 mean "to the end" (Slice) and pass; other integers must be exact. */
export function checkInt(thing: string, value: number): number {
  if (Number.isSafeInteger(value) || Math.abs(value) === 2 ** 63) return value;
  throw new EspalierError("UNSUPPORTED_TYPE", {
    thing,
    rule: "integers must be within ±(2^53 - 1) to be exact",
    received: value,
  });
}
