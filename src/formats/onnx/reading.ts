import type { Node, Notes } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { checkLimit, type Limits } from "../limits.ts";
import { type Field, type Reader, textOf } from "../protobuf-reader.ts";
import type { ExternalData } from "./external.ts";
import { entryFields } from "./fields.ts";
import { Symbols } from "./symbols.ts";

/** Limits on counts over the whole file. */
type Counted = "maxNodes" | "maxAttributes" | "maxValues" | "maxParameters" | "maxFunctions" | "maxEntries";

/** Parts of a NodeProto that belong to local functions. */
export interface CallDetails {
  /** Which of several functions with the same name is called. */
  readonly overload: string;
  /** In the body of a function: attributes that take their value from the call, with their name there. */
  readonly references: ReadonlyMap<string, string>;
}

/** What is counted, named and looked up across all graphs of one file. */
export class Reading {
  readonly limits: Limits;
  /** Tensors in other files; undefined refuses them. */
  readonly external: ExternalData | undefined;
  /** The file's bytes if they may be moved to align tensors. */
  readonly movable: Uint8Array | undefined;
  readonly symbols = new Symbols();
  /** For nodes that have them, details needed only until calls of local functions are replaced. */
  readonly calls = new Map<Node, CallDetails>();
  readonly #counts = new Map<Counted, number>();

  constructor(limits: Limits, external?: ExternalData, movable?: Uint8Array) {
    this.limits = limits;
    this.external = external;
    this.movable = movable;
  }

  /** Counts one more thing (or `more`). Throws `TOO_LARGE` once there are too many. */
  count(option: Counted, thing = "model", more = 1): void {
    const total = (this.#counts.get(option) ?? 0) + more;
    this.#counts.set(option, total);
    checkLimit(this.limits, option, thing, total);
  }

  /** The name of a value, node, operator, symbol. */
  name(reader: Reader, field: Field): string {
    const bytes = reader.bytes(field);
    checkLimit(this.limits, "maxNameBytes", `name at offset ${field.at}`, bytes.length);
    return textOf(bytes, field.at);
  }

  /** Any other text. */
  text(reader: Reader, field: Field): string {
    const bytes = reader.bytes(field);
    checkLimit(this.limits, "maxTextBytes", `text at offset ${field.at}`, bytes.length);
    return textOf(bytes, field.at);
  }

  /** A key and a value (a StringStringEntryProto). */
  entry(reader: Reader): [key: string, value: string] {
    this.count("maxEntries");
    let key = "";
    let value = "";
    for (let field = reader.next(); field !== undefined; field = reader.next()) {
      if (field.number === entryFields.key) key = this.name(reader, field);
      else if (field.number === entryFields.value) value = this.text(reader, field);
      else reader.skip(field);
    }
    return [key, value];
  }
}

/** Every field of a message, in file order; each value must be read or skipped before the next one. */
export function* fieldsOf(reader: Reader): Generator<Field> {
  for (let field = reader.next(); field !== undefined; field = reader.next()) yield field;
}

/** Collects the remarks on one thing while its message is read. */
export class NotesReader {
  #doc = "";
  readonly #metadata = new Map<string, string>();

  doc(text: string): void {
    this.#doc = text;
  }

  /** Of several entries with the same key the last one counts. */
  entry([key, value]: readonly [key: string, value: string]): void {
    this.#metadata.set(key, value);
  }

  /** `{ notes }`, or `{}` if there are none: to be spread into what they are about. */
  finish(): { readonly notes?: Notes } {
    const doc = this.#doc === "" ? {} : { doc: this.#doc };
    const metadata = this.#metadata.size === 0 ? {} : { metadata: this.#metadata };
    return this.#doc === "" && this.#metadata.size === 0 ? {} : { notes: { ...doc, ...metadata } };
  }
}

/** Sets an entry that a file must not give twice. Throws `INVALID_MODEL`. */
export function addOnce<V>(map: Map<string, V>, key: string, value: V, thing: string): void {
  if (map.has(key)) throw new EspalierError("INVALID_MODEL", { thing, rule: "is given twice" });
  map.set(key, value);
}

/** "ai.onnx" is another name of the standard domain, "". */
export function standardDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}
