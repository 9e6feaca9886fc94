import { EspalierError } from "../../tensor/errors.ts";
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

/** Records the version of a domain, which must be the same if it is imported twice. Throws `INVALID_MODEL`. */
export function addOpset(opsets: Map<string, number>, domain: string, version: number, by: string): void {
  const known = opsets.get(domain);
  if (known !== undefined && known !== version) {
    throw new EspalierError("INVALID_MODEL", {
      thing: `opset of domain "${domain}"`,
      rule: `is imported twice by ${by}, at two versions`,
      received: [known, version],
    });
  }
  opsets.set(domain, version);
}
