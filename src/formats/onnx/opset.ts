import type { Reader } from "../protobuf-reader.ts";
import { opsetFields } from "./fields.ts";
import { fieldsOf, type Reading, standardDomain } from "./reading.ts";

/** Reads an OperatorSetIdProto. */
export function readOpset(reader: Reader, reading: Reading): [domain: string, version: number] {
  let domain = "";
  let version = 0;
  for (const field of fieldsOf(reader)) {
    if (field.number === opsetFields.domain) domain = standardDomain(reading.name(reader, field));
    else if (field.number === opsetFields.version) version = reader.int(field);
    else reader.skip(field);
  }
  return [domain, version];
}
