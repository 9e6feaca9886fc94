import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type {
  FeatureColumn,
  ImageFeatures,
  Preprocessing,
  Scale,
  TableFeatures,
  Target,
} from "./preprocessing.ts";

/** The record as JSON text; {@link readPreprocessing} reads it. */
export function preprocessingJson(record: Preprocessing): string {
  return JSON.stringify(record);
}

/** Reads what {@link preprocessingJson} wrote, checking every field. `thing` names the source in errors. Throws `FORMAT`. */
export function readPreprocessing(text: string, thing: string): Preprocessing {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw misread(thing, "must be JSON", text, cause);
  }
  const record = fields(value, thing);
  if (record.version !== 1)
    throw misread(`${thing}, version`, "must be 1, the version that this program knows", record.version);
  return {
    version: 1,
    features: readFeatures(record.features, `${thing}, features`),
    ...(record.target === undefined ? {} : { target: readTarget(record.target, `${thing}, target`) }),
  };
}

function readFeatures(value: unknown, thing: string): TableFeatures | ImageFeatures {
  const record = fields(value, thing);
  switch (record.kind) {
    case "table": {
      if (typeof record.named !== "boolean")
        throw misread(`${thing}, named`, "must be true or false", record.named);
      const columns = list(record.columns, `${thing}, columns`).map((column, at) =>
        readColumn(column, `${thing}, column ${at + 1}`),
      );
      return { kind: "table", named: record.named, columns };
    }
    case "image":
      return readImage(record, thing);
    default:
      throw misread(`${thing}, kind`, "must be table or image", record.kind);
  }
}

function readColumn(value: unknown, thing: string): FeatureColumn {
  const record = fields(value, thing);
  const name = string(record.name, `${thing}, name`);
  switch (record.kind) {
    case "number":
      return {
        kind: "number",
        name,
        ...readScale(record, thing),
        ...(record.missing === undefined ? {} : { missing: finite(record.missing, `${thing}, missing`) }),
      };
    case "category": {
      const categories = strings(record.categories, `${thing}, categories`);
      if (record.missing === undefined) return { kind: "category", name, categories };
      const missing = string(record.missing, `${thing}, missing`);
      if (!categories.includes(missing))
        throw misread(`${thing}, missing`, "must be one of its categories", missing);
      return { kind: "category", name, categories, missing };
    }
    default:
      throw misread(`${thing}, kind`, "must be number or category", record.kind);
  }
}

function readImage(record: Fields, thing: string): ImageFeatures {
  const dims = list(record.dims, `${thing}, dims`).map((dim) => {
    if (Number.isSafeInteger(dim) && (dim as number) > 0) return dim as number;
    throw misread(`${thing}, dims`, "must be positive whole numbers", dim);
  });
  if (record.axes !== undefined && record.axes !== "hwc")
    throw misread(`${thing}, axes`, "must be hwc if it is given", record.axes);
  const scales =
    record.scales === undefined
      ? undefined
      : list(record.scales, `${thing}, scales`).map((scale, at) => {
          const place = `${thing}, scale ${at + 1}`;
          return readScale(fields(scale, place), place);
        });
  if (scales !== undefined && scales.length !== sizeOf(dims))
    throw misread(`${thing}, scales`, `must be ${sizeOf(dims)}, one for each value`, scales.length);
  return {
    kind: "image",
    dims,
    divisor: positive(record.divisor, `${thing}, divisor`),
    ...(record.axes === undefined ? {} : { axes: record.axes }),
    ...(scales === undefined ? {} : { scales }),
  };
}

function readTarget(value: unknown, thing: string): Target {
  const record = fields(value, thing);
  const name = string(record.name, `${thing}, name`);
  switch (record.kind) {
    case "class":
      return { kind: "class", name, classes: strings(record.classes, `${thing}, classes`) };
    case "number":
      return { kind: "number", name, ...readScale(record, thing) };
    default:
      throw misread(`${thing}, kind`, "must be class or number", record.kind);
  }
}

function readScale(record: Fields, thing: string): Scale {
  return {
    mean: finite(record.mean, `${thing}, mean`),
    deviation: positive(record.deviation, `${thing}, deviation`),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown, thing: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw misread(thing, "must be an object", value);
}

function list(value: unknown, thing: string): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  throw misread(thing, "must be a list with at least one element", value);
}

function string(value: unknown, thing: string): string {
  if (typeof value === "string") return value;
  throw misread(thing, "must be text", value);
}

/** Distinct strings: each represents one output or feature. */
function strings(value: unknown, thing: string): readonly string[] {
  const found = list(value, thing).map((entry) => string(entry, thing));
  if (new Set(found).size === found.length) return found;
  throw misread(thing, "must not name anything twice", found);
}

function finite(value: unknown, thing: string): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw misread(thing, "must be a finite number", value);
}

function positive(value: unknown, thing: string): number {
  const number = finite(value, thing);
  if (number > 0) return number;
  throw misread(thing, "must be above zero", number);
}

function misread(thing: string, rule: string, received: unknown, cause?: unknown): EspalierError {
  return new EspalierError("FORMAT", {
    thing,
    rule,
    received,
    remedy: "Train again, or restore the file as espalier wrote it.",
    cause,
  });
}
