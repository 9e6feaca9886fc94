import * as fc from "fast-check";
import { expect, test } from "vitest";
import { numericTensor, textTensor } from "../../../test/fixtures/arbitrary-tensor.ts";
import type { Attribute, Model, Node, Notes } from "../../graph/model.ts";
import { dtypes } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { decodeModel, encodeModel } from "./index.ts";

const name = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.constantFrom("__proto__", "constructor", "x", "a+b", "ü"),
);
const exactInt = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -3, max: 300 }),
  fc.constantFrom(2 ** 63, -(2 ** 63)),
);
const exactFloat = fc.float();

const tensor = fc.oneof({ arbitrary: numericTensor, weight: 4 }, { arbitrary: textTensor, weight: 1 });

const bigTensor = fc.integer({ min: 250, max: 400 }).map(
  (size): Tensor => ({
    dtype: "float32",
    dims: [size],
    data: Float32Array.from({ length: size }, (_, index) => index),
  }),
);

const leaf: fc.Arbitrary<Attribute> = fc.oneof(
  exactInt.map((value): Attribute => ({ kind: "int", value })),
  exactFloat.map((value): Attribute => ({ kind: "float", value })),
  fc.string().map((value): Attribute => ({ kind: "string", value })),
  tensor.map((value): Attribute => ({ kind: "tensor", value })),
  fc.array(exactInt).map((value): Attribute => ({ kind: "ints", value })),
  fc.array(exactFloat).map((value): Attribute => ({ kind: "floats", value })),
  fc.array(fc.string()).map((value): Attribute => ({ kind: "strings", value })),
);

const attributes = fc.array(fc.tuple(name, leaf), { maxLength: 3 }).map((pairs) => Object.fromEntries(pairs));

/** Symbols that no reader needs to rename: neither polynomials nor numbers. */
const dim = fc.oneof(fc.nat(9), fc.constantFrom("batch", "hidden1", "größe", "-"));
const shape = fc.array(dim, { maxLength: 3 });

/** Something or nothing: an absent part is not a property at all. */
const notes: fc.Arbitrary<{ notes?: Notes }> = fc
  .record({
    doc: fc.string(),
    metadata: fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 2 }),
  })
  .map(({ doc, metadata }) => {
    const parts = {
      ...(doc === "" ? {} : { doc }),
      ...(metadata.length === 0 ? {} : { metadata: new Map(metadata) }),
    };
    return Object.keys(parts).length === 0 ? {} : { notes: parts };
  });

const about = fc
  .record(
    {
      producerVersion: fc.string({ minLength: 1 }),
      domain: fc.string({ minLength: 1 }),
      doc: fc.string({ minLength: 1 }),
      version: exactInt.filter((version) => version !== 0),
    },
    { requiredKeys: [] },
  )
  .map((given) => ({ ...given }));

/** A graph of a chain of nodes: valid whatever the operators, since only names have to fit. */
const model: fc.Arbitrary<Model> = fc
  .record({
    graphName: fc.string(),
    producer: fc.string(),
    irVersion: fc.integer({ min: 3, max: 14 }),
    opset: fc.integer({ min: 1, max: 30 }),
    metadata: fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 3 }),
    values: fc.uniqueArray(name, { minLength: 8, maxLength: 8 }),
    tensors: fc.array(fc.oneof(tensor, bigTensor), { maxLength: 2 }),
    attributes: fc.array(attributes, { minLength: 4, maxLength: 4 }),
    nodes: fc.nat(4),
    dtype: fc.constantFrom(...dtypes),
    shape,
    nest: fc.boolean(),
    typed: fc.boolean(),
    about,
    notes: fc.array(notes, { minLength: 7, maxLength: 7 }),
  })
  .map((given): Model => {
    const value = (index: number) => given.values[index] as string;
    const nodes = Array.from({ length: given.nodes }, (_, index): Node => {
      const inner: Attribute = {
        kind: "graph",
        value: {
          name: "inner",
          inputs: [],
          parameters: new Map(),
          nodes: [
            {
              name: "n",
              op: "Neg",
              domain: "",
              inputs: [value(index)],
              outputs: [`${value(7)}\u0001`],
              attributes: {},
            },
          ],
          outputs: [
            {
              name: `${value(7)}\u0001`,
              ...(given.typed ? { dtype: given.dtype, shape: given.shape } : {}),
              ...given.notes[6],
            },
          ],
        },
      };
      const nested = given.nest && index === 1 ? Object.fromEntries([["body", inner]]) : {};
      return {
        name: `node ${index}`,
        op: "Custom",
        domain: index % 2 === 0 ? "" : "my.domain",
        inputs: [value(index), "", ...given.tensors.map((_, at) => value(5 + at))],
        outputs: [value(index + 1), ""],
        attributes: { ...given.attributes[index], ...nested },
        ...given.notes[index],
      };
    });
    const parameterNotes = new Map(
      given.tensors.flatMap((_, at): [string, Notes][] => {
        const note = given.notes[4 + at]?.notes;
        return note === undefined ? [] : [[value(5 + at), note]];
      }),
    );
    return {
      ...given.about,
      irVersion: given.irVersion,
      producer: given.producer,
      opsets: new Map([
        ["", given.opset],
        ["my.domain", 1],
      ]),
      metadata: new Map(given.metadata),
      graph: {
        name: given.graphName,
        ...given.notes[4],
        ...(parameterNotes.size === 0 ? {} : { parameterNotes }),
        inputs: [{ name: value(0), dtype: given.dtype, shape: given.shape, ...given.notes[5] }],
        outputs: [{ name: value(given.nodes), dtype: given.dtype, shape: given.shape }],
        nodes,
        parameters: new Map(given.tensors.map((tensor, at) => [value(5 + at), tensor])),
      },
    };
  });

test("write then read is the identity on the model, and so is write after read", () => {
  fc.assert(
    fc.property(model, (given) => {
      const bytes = encodeModel(given);
      const read = decodeModel(bytes);
      expect(read).toEqual(given);
      expect(encodeModel(read)).toEqual(bytes);
    }),
    { numRuns: 1000 },
  );
});

/** Reads the bytes; may throw only an EspalierError. */
function readOrRefuse(bytes: Uint8Array): void {
  try {
    const read = decodeModel(bytes);
    // A model that was read must be valid enough to be written and read again.
    expect(decodeModel(encodeModel(read))).toEqual(read);
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error;
  }
}

test("a file with bytes changed, removed or inserted is read or refused, nothing worse", () => {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    kind: fc.constantFrom("set", "set", "set", "cut", "insert", "truncate"),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)),
  } as const);
  fc.assert(
    fc.property(model, fc.array(edit, { minLength: 1, maxLength: 5 }), (given, edits) => {
      let bytes = [...encodeModel(given)];
      for (const { at, kind, byte } of edits) {
        const index = Math.floor(at * bytes.length);
        if (kind === "set") bytes[index] = byte;
        else if (kind === "cut") bytes.splice(index, 1 + (byte % 8));
        else if (kind === "insert") bytes.splice(index, 0, byte);
        else bytes = bytes.slice(0, index);
      }
      readOrRefuse(Uint8Array.from(bytes, (byte) => byte ?? 0));
    }),
    { numRuns: 4000 },
  );
});

test("random bytes are refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(() => decodeModel(bytes)).toThrow(EspalierError);
    }),
    { numRuns: 2000 },
  );
});
