import type { Dim, Shape } from "../../graph/dim.ts";
import type { DeclaredValue } from "../../graph/model.ts";
import type { DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { checkLimit, type Limits } from "../limits.ts";
import type { Field, Reader } from "../protobuf-reader.ts";
import {
  dimensionFields,
  otherValueTypes,
  shapeFields,
  tensorTypeFields,
  typeFields,
  valueFields,
} from "./fields.ts";
import { fieldsOf, NotesReader, type Reading } from "./reading.ts";
import { dtypeOf } from "./tensor.ts";

/** Reads a ValueInfoProto. Throws `UNSUPPORTED_TYPE` if the value is not a tensor (a sequence, a map). */
export function readValue(reader: Reader, reading: Reading, role: string): DeclaredValue {
  const notes = new NotesReader();
  let name = "";
  let type: Reader | undefined;
  for (const field of fieldsOf(reader)) {
    if (field.number === valueFields.name) name = reading.name(reader, field);
    else if (field.number === valueFields.type) type = reader.message(field);
    else if (field.number === valueFields.docString) notes.doc(reading.text(reader, field));
    else if (field.number === valueFields.metadataProps) notes.entry(reading.entry(reader.message(field)));
    else reader.skip(field);
  }
  const thing = `${role} "${name}"`;
  if (name === "") throw new EspalierError("INVALID_MODEL", { thing, rule: "needs a name" });
  return { name, ...(type === undefined ? {} : readType(type, reading, thing)), ...notes.finish() };
}

/** Throws `UNSUPPORTED_TYPE` if a ValueInfoProto is not of a tensor; checks nothing else. */
export function refuseOtherThanTensor(reader: Reader, reading: Reading, role: string): void {
  const name = nameOfValue(reader.fork(), reading);
  for (const field of fieldsOf(reader)) {
    if (field.number === valueFields.type) checkTensor(reader.message(field), `${role} "${name}"`);
    else reader.skip(field);
  }
}

function checkTensor(reader: Reader, thing: string): void {
  for (const field of fieldsOf(reader)) {
    refuseOtherType(field, thing);
    reader.skip(field);
  }
}

function refuseOtherType(field: Field, thing: string): void {
  if (field.number === typeFields.tensorType || field.number === typeFields.denotation) return;
  throw new EspalierError("UNSUPPORTED_TYPE", {
    thing,
    rule: "must be a tensor",
    received: otherValueTypes[field.number] ?? `type field ${field.number}`,
    remedy: "Export the model with tensors as inputs and outputs (scikit-learn: zipmap=False).",
  });
}

/** The name of a ValueInfoProto, without looking at its type. */
export function nameOfValue(reader: Reader, reading: Reading): string {
  let name = "";
  for (const field of fieldsOf(reader)) {
    if (field.number === valueFields.name) name = reading.name(reader, field);
    else reader.skip(field);
  }
  return name;
}

function readType(reader: Reader, reading: Reading, thing: string): Pick<DeclaredValue, "dtype" | "shape"> {
  let tensor: Reader | undefined;
  for (const field of fieldsOf(reader)) {
    refuseOtherType(field, thing);
    if (field.number === typeFields.tensorType) tensor = reader.message(field);
    else reader.skip(field);
  }
  let dtype: DType | undefined;
  let shape: Shape | undefined;
  for (const field of tensor === undefined ? [] : fieldsOf(tensor)) {
    if (field.number === tensorTypeFields.elemType) {
      const dataType = (tensor as Reader).int(field);
      dtype = dataType === 0 ? undefined : dtypeOf(thing, dataType);
    } else if (field.number === tensorTypeFields.shape) {
      shape = readShape((tensor as Reader).message(field), reading, thing);
    } else (tensor as Reader).skip(field);
  }
  return { ...(dtype === undefined ? {} : { dtype }), ...(shape === undefined ? {} : { shape }) };
}

function readShape(reader: Reader, reading: Reading, thing: string): Shape {
  const shape: Dim[] = [];
  for (const field of fieldsOf(reader)) {
    if (field.number !== shapeFields.dim) {
      reader.skip(field);
      continue;
    }
    checkLimit(reading.limits, "maxDims", thing, shape.length + 1);
    shape.push(readDimension(reader.message(field), reading, thing));
  }
  checkProduct(thing, shape, reading.limits);
  return shape;
}

/** The product of the numeric, nonzero sizes must not exceed the most elements of a tensor. */
function checkProduct(thing: string, shape: Shape, limits: Limits): void {
  const product = shape.reduce<number>(
    (size, dim) => (typeof dim === "number" && dim > 0 ? size * dim : size),
    1,
  );
  checkLimit(limits, "maxElements", thing, product);
}

function readDimension(reader: Reader, reading: Reading, thing: string): Dim {
  let dim: Dim | undefined;
  for (const field of fieldsOf(reader)) {
    if (field.number === dimensionFields.dimValue) dim = reader.int(field);
    else if (field.number === dimensionFields.dimParam) dim = reading.name(reader, field);
    else reader.skip(field);
  }
  // Some exporters write -1 for an unknown size.
  if (dim === -1) return reading.symbols.fresh();
  if (typeof dim === "number" && (!Number.isSafeInteger(dim) || dim < 0)) {
    throw new EspalierError("INVALID_MODEL", {
      thing,
      rule: "sizes must be in [0, 2^53)",
      received: dim,
      remedy: "Give an unknown size a name (dim_param) or nothing at all.",
    });
  }
  if (dim === undefined || dim === "") return reading.symbols.fresh();
  return typeof dim === "string" ? reading.symbols.named(dim) : dim;
}
