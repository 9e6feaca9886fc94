import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Field, Reader } from "./protobuf-reader.ts";
import { Writer, wire } from "./protobuf-writer.ts";

const bytesOf = (write: (writer: Writer) => void): Uint8Array => {
  const writer = new Writer();
  write(writer);
  return writer.finish();
};

describe("the writer", () => {
  test("writes the examples of the protobuf encoding guide", () => {
    expect([...bytesOf((writer) => writer.int(1, 150))]).toEqual([0x08, 0x96, 0x01]);
    expect([...bytesOf((writer) => writer.int(1, -2))]).toEqual([8, 0xfe, ...Array(8).fill(0xff), 1]);
    expect([...bytesOf((writer) => writer.text(2, "testing"))]).toEqual([0x12, 7, ...Buffer.from("testing")]);
    expect([...bytesOf((writer) => writer.message(3, () => writer.int(1, 150)))]).toEqual([
      0x1a, 3, 0x08, 0x96, 0x01,
    ]);
  });

  test("clamps what lies beyond int64", () => {
    expect(bytesOf((writer) => writer.int(1, 2 ** 63))).toEqual(
      new Uint8Array([8, ...Array(8).fill(0xff), 0x7f]),
    );
  });

  test("loses nothing if a nested message ends at the end of the buffer", () => {
    for (let lead = 980; lead < 1024; lead++) {
      const bytes = bytesOf((writer) => {
        writer.bytes(1, new Uint8Array(lead));
        writer.message(2, () => writer.int(3, 4));
      });
      expect([...bytes.subarray(-4)]).toEqual([0x12, 2, 0x18, 4]);
    }
  });

  test("refuses text that cannot be encoded as UTF-8", () => {
    expect(() => bytesOf((writer) => writer.text(1, "\ud800"))).toThrow(/well-formed/);
  });

  test("puts large payloads where they belong, at any depth and size", () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(sizes, { maxLength: 4 }), fc.nat(3), (groups, depth) => {
        const nest = (writer: Writer, level: number, write: () => void): void =>
          level === 0 ? write() : writer.message(9, () => nest(writer, level - 1, write));
        const bytes = bytesOf((writer) => {
          for (const group of groups) {
            nest(writer, depth, () => {
              for (const size of group) writer.bytes(1, new Uint8Array(size).fill(size & 255));
              writer.int(2, group.length);
            });
          }
        });
        const read: number[][] = [];
        const visit = (reader: Reader, level: number): void => {
          for (let field = reader.next(); field !== undefined; field = reader.next()) {
            if (field.number === 9) visit(reader.message(field), level - 1);
            else if (field.number === 1) {
              const payload = reader.bytes(field);
              expect(payload.every((byte) => byte === (payload.length & 255))).toBe(true);
              if (read.at(-1)?.at(-1) === -1 || read.length === 0) read.push([]);
              read.at(-1)?.push(payload.length);
            } else {
              const count = reader.int(field);
              if (count === 0) read.push([]);
              expect(read.at(-1)?.length).toBe(count);
              read.at(-1)?.push(-1);
            }
          }
        };
        visit(new Reader(bytes), depth);
        expect(read).toEqual(groups.map((group) => [...group, -1]));
      }),
      { numRuns: 300 },
    );
  });
});

const read = (bytes: number[], take: (reader: Reader, field: Field) => unknown): unknown => {
  const reader = new Reader(Uint8Array.from(bytes));
  return take(reader, reader.next() as Field);
};
const take = {
  int: (reader: Reader, field: Field) => reader.int(field),
  text: (reader: Reader, field: Field) => reader.text(field),
  skip: (reader: Reader, field: Field) => reader.skip(field),
  count: (reader: Reader, field: Field) => reader.count(field, wire.fixed32),
};

describe("the reader", () => {
  test("reads every integer that the writer writes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeInteger(), fc.constantFrom(2 ** 63, -(2 ** 63))), (value) => {
        expect(read([...bytesOf((writer) => writer.int(1, value))], take.int)).toBe(value);
      }),
    );
  });

  test("accepts integers of up to ten bytes, padded ones too", () => {
    expect(read([8, 0x81, 0x00], take.int)).toBe(1);
    expect(read([8, ...Array(9).fill(0xff), 1], take.int)).toBe(-1);
  });

  test.each<[string, number[], keyof typeof take, RegExp]>([
    ["an integer of eleven bytes", [8, ...Array(10).fill(0x80), 0], "int", /fit 64 bits/],
    ["an integer of more than 64 bits", [8, ...Array(9).fill(0xff), 2], "int", /fit 64 bits/],
    ["an integer that is cut off", [8, 0x80], "int", /cut off/],
    ["nothing where an integer should be", [8], "int", /cut off/],
    ["a tag without end", Array(20).fill(0xff), "int", /fit 53 bits/],
    ["field number 0", [0x02, 0], "skip", /field number/],
    ["a group", [0x0b], "skip", /wire type/],
    ["text longer than the data", [0x0a, 5, 65], "text", /5 bytes must follow/],
    [
      "a length of 2^53 - 1",
      [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 65],
      "text",
      /bytes must follow/,
    ],
    ["text that is not UTF-8", [0x0a, 1, 0xff], "text", /UTF-8/],
    ["text where an integer is asked for", [0x0a, 1, 65], "int", /wire type 0/],
    ["a fixed value that is cut off", [0x0d, 1, 2], "skip", /4 bytes must follow/],
    ["packed floats that do not come out even", [0x0a, 5, 0, 0, 0, 0, 0], "count", /4 bytes each/],
  ])("refuses %s", (_, bytes, way, rule) => {
    expect(() => read(bytes, take[way])).toThrow(rule);
  });

  test("never reads past the end of a nested message", () => {
    // A message of one byte that begins an integer, followed by bytes that would complete it.
    const reader = new Reader(Uint8Array.from([0x0a, 2, 0x08, 0x80, 0x01]));
    const inner = reader.message(reader.next() as Field);
    expect(() => inner.int(inner.next() as Field)).toThrow(/cut off/);
  });
});
