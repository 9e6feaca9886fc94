import type { Dim, Shape } from "../../graph/dim.ts";
import type { DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { checkLimit, type Limits } from "../limits.ts";
import type { Field, Reader } from "../protobuf-reader.ts";
import { dimensionFields, shapeFields, tensorTypeFields, typeFields, valueFields } from "./fields.ts";
import type { Symbols } from "./symbols.ts";
import { dtypeOf } from "./tensor.ts";

/** What a file says of a value: type and shape may be left out. */
export interface DeclaredValue {
  readonly name: string;
  readonly dtype: DType | undefined;
  readonly shape: Shape | undefined;
}

/** Every field of a message, in file order; the value must be taken or skipped before the next one. */
export function* fieldsOf(reader: Reader): Generator<Field> {
  for (let field = reader.next(); field !== undefined; field = reader.next()) yield field;
}

/** Reads a ValueInfoProto. Throws `UNSUPPORTED_TYPE` where the value is no tensor (a sequence, a map). */
export function readValue(reader: Reader, limits: Limits, symbols: Symbols, role: string): DeclaredValue {
  let name = "";
  let type: Reader | undefined;
  for (const field of fieldsOf(reader)) {
    if (field.number === valueFields.name) name = reader.text(field);
    else if (field.number === valueFields.type) type = reader.message(field);
    else reader.skip(field);
  }
  const thing = `${role} "${name}"`;
  if (name === "") throw new EspalierError("INVALID_MODEL", { thing, rule: "needs a name" });
  return { name, ...readType(type, limits, symbols, thing) };
}

function readType(
  reader: Reader | undefined,
  limits: Limits,
  symbols: Symbols,
  thing: string,
): Omit<DeclaredValue, "name"> {
  let dtype: DType | undefined;
  let shape: Shape | undefined;
  let tensor: Reader | undefined;
  let other: number | undefined;
  if (reader !== undefined) {
    for (const field of fieldsOf(reader)) {
      if (field.number === typeFields.tensorType) tensor = reader.message(field);
      else {
        // Field 6 is a remark (denotation); all others are kinds of type other than a tensor.
        if (field.number !== 6) other = field.number;
        reader.skip(field);
      }
    }
  }
  if (other !== undefined) {
    const names: Readonly<Record<number, string>> = {
      4: "sequence",
      5: "map",
      8: "sparse tensor",
      9: "optional",
    };
    throw new EspalierError("UNSUPPORTED_TYPE", {
      thing,
      rule: "must be a tensor",
      received: names[other] ?? `type field ${other}`,
    });
  }
  if (tensor !== undefined) {
    for (const field of fieldsOf(tensor)) {
      if (field.number === tensorTypeFields.elemType) dtype = dtypeOf(thing, tensor.int(field));
      else if (field.number === tensorTypeFields.shape) {
        shape = readShape(tensor.message(field), limits, symbols, thing);
      } else tensor.skip(field);
    }
  }
  return { dtype, shape };
}

function readShape(reader: Reader, limits: Limits, symbols: Symbols, thing: string): Shape {
  const shape: Dim[] = [];
  for (const field of fieldsOf(reader)) {
    if (field.number !== shapeFields.dim) {
      reader.skip(field);
      continue;
    }
    checkLimit(limits, "maxDims", thing, shape.length + 1);
    shape.push(readDimension(reader.message(field), symbols, thing));
  }
  return shape;
}

function readDimension(reader: Reader, symbols: Symbols, thing: string): Dim {
  let dim: Dim | undefined;
  for (const field of fieldsOf(reader)) {
    if (field.number === dimensionFields.dimValue) dim = reader.int(field);
    else if (field.number === dimensionFields.dimParam) dim = reader.text(field);
    else reader.skip(field);
  }
  if (typeof dim === "number" && (!Number.isSafeInteger(dim) || dim < 0)) {
    throw new EspalierError("INVALID_MODEL", {
      thing,
      rule: "sizes must lie in [0, 2^53)",
      received: dim,
      remedy: "Give an unknown size a name (dim_param) or nothing at all.",
    });
  }
  if (dim === undefined || dim === "") return symbols.fresh();
  return typeof dim === "string" ? symbols.named(dim) : dim;
}
