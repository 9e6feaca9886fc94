/** Messages of an ONNX file that mutations distinguish. */
export type MessageType =
  | "Model"
  | "Graph"
  | "Node"
  | "Attribute"
  | "Tensor"
  | "Value"
  | "Type"
  | "TensorType"
  | "Shape"
  | "Dimension"
  | "Opset"
  | "Entry"
  | "Function";

/** The content of a field of wire type 2: a message, text, or anything else. */
type Content = MessageType | "text";

/** Fields by number, as in onnx.proto; unlisted fields stay bytes or numbers. */
const schema: { readonly [T in MessageType]: Readonly<Record<number, Content>> } = {
  Model: { 2: "text", 3: "text", 4: "text", 6: "text", 7: "Graph", 8: "Opset", 14: "Entry", 25: "Function" },
  Graph: {
    1: "Node",
    2: "text",
    5: "Tensor",
    10: "text",
    11: "Value",
    12: "Value",
    13: "Value",
    16: "Entry",
  },
  Node: {
    1: "text",
    2: "text",
    3: "text",
    4: "text",
    5: "Attribute",
    6: "text",
    7: "text",
    8: "text",
    9: "Entry",
  },
  Attribute: { 1: "text", 4: "text", 5: "Tensor", 6: "Graph", 9: "text", 21: "text" },
  Tensor: { 6: "text", 8: "text", 12: "text", 13: "Entry", 16: "Entry" },
  Value: { 1: "text", 2: "Type", 3: "text", 4: "Entry" },
  Type: { 1: "TensorType" },
  TensorType: { 2: "Shape" },
  Shape: { 1: "Dimension" },
  Dimension: { 2: "text" },
  Opset: { 1: "text" },
  Entry: { 1: "text", 2: "text" },
  Function: {
    1: "text",
    4: "text",
    5: "text",
    6: "text",
    7: "Node",
    9: "Opset",
    10: "text",
    11: "Attribute",
    13: "text",
  },
};

/** A message as a tree that mutations change in place. */
export interface Message {
  readonly type: MessageType;
  entries: Entry[];
}

export interface Entry {
  number: number;
  wire: number;
  value: bigint | string | Uint8Array | Message;
  /** Needless bytes in the varint of the tag, and in that of the length or value. */
  padding: readonly [tag: number, value: number];
  /** How much the stated length is off. */
  lie: number;
}

export function isMessage(value: Entry["value"]): value is Message {
  return typeof value === "object" && "type" in value;
}

export function field(
  number: number,
  value: Entry["value"],
  wire = typeof value === "bigint" ? 0 : 2,
): Entry {
  return { number, wire, value, padding: [0, 0], lie: 0 };
}

/** Reads well-formed bytes, such as the seeds. */
export function parse(bytes: Uint8Array, type: MessageType): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Entry[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const [number, wire] = [tag >>> 3, tag & 7];
    if (wire === 0) entries.push(field(number, varint(), wire));
    else if (wire !== 2) entries.push(field(number, take(wire === 5 ? 4 : 8), wire));
    else {
      const content = take(Number(varint()));
      const kind = schema[type][number];
      const value =
        kind === undefined
          ? content
          : kind === "text"
            ? new TextDecoder().decode(content)
            : parse(content, kind);
      entries.push(field(number, value, wire));
    }
  }
  return { type, entries };
}

export function serialize(message: Message): Uint8Array {
  const out: number[] = [];
  write(message, out);
  return Uint8Array.from(out);
}

function write(message: Message, out: number[]): void {
  for (const { number, wire, value, padding, lie } of message.entries) {
    writeVarint(BigInt(number) * 8n + BigInt(wire), padding[0], out);
    if (typeof value === "bigint") {
      writeVarint(BigInt.asUintN(64, value), padding[1], out);
      continue;
    }
    const content =
      typeof value === "string" ? new TextEncoder().encode(value) : isMessage(value) ? [] : value;
    const bytes: number[] = [...content];
    if (isMessage(value)) write(value, bytes);
    if (wire === 2) writeVarint(BigInt(Math.max(0, bytes.length + lie)), padding[1], out);
    for (const byte of bytes) out.push(byte);
  }
}

function writeVarint(value: bigint, padding: number, out: number[]): void {
  let rest = value;
  while (rest >= 0x80n) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  if (padding === 0) {
    out.push(Number(rest));
    return;
  }
  out.push(Number(rest) | 0x80);
  for (let index = 1; index < padding; index++) out.push(0x80);
  out.push(0);
}
