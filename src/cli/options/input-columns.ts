import type { ColumnData, ColumnParts } from "../../data/columns.ts";
import { type Dataset, dataset } from "../../data/dataset.ts";
import { isConcrete } from "../../graph/dim.ts";
import type { Value } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf } from "../../tensor/tensor.ts";

/** Whole numbers up to this are exact in float32, which features are read as. */
const largest = 2 ** 24;

const naming =
  "Name a column after each input, or NAME.0, NAME.1, ... for one of several numbers; one float32 input gets the remaining columns.";

/**
 * The same examples with a column for each input of a model: the feature with the input's name, or those named NAME.0,
 * NAME.1 and so on (or NAME_0); the rest go to the one float32 input that has none. Throws `SHAPE_MISMATCH` if an input
 * has no columns or a column no input, `ARGUMENT` for values that an integer input does not accept.
 */
export function columnsForInputs(data: Dataset, inputs: readonly Value[]): Dataset {
  const names = data.featureNames ?? [];
  const places = new Map(inputs.map((input) => [input.name, placesOf(input.name, names)]));
  const taken = new Set([...places.values()].flat());
  const left = names.flatMap((_, at) => (taken.has(at) ? [] : [at]));
  const open = inputs.filter(({ name }) => places.get(name)?.length === 0);
  const [taker] = open;
  if (open.length > 1 || (taker !== undefined && (taker.dtype !== "float32" || left.length === 0))) {
    throw misfit(
      data,
      `needs columns for the inputs ${open.map(({ name }) => `"${name}"`).join(", ")}`,
      names,
    );
  }
  if (taker === undefined && left.length > 0) {
    throw misfit(
      data,
      "must have only columns for inputs of the model",
      left.map((at) => names[at]),
    );
  }
  const column = (input: Value, at: readonly number[]): Required<ColumnParts> => ({
    data: valuesOf(data, input, at),
    dims: dimsOf(data, input, at.length),
  });
  const named = inputs.filter((input) => input !== taker);
  const made = named.map((input) => [input.name, column(input, places.get(input.name) ?? [])] as const);
  const rest = taker === undefined ? undefined : column(taker, left);
  // The record describes features in one row: for columns of several inputs it would be wrong.
  const { featureNames: _, features: __, featureDims: ___, preprocessing: ____, ...others } = data;
  return dataset({
    ...others,
    ...(rest === undefined ? {} : { features: rest.data as Float32Array, featureDims: rest.dims }),
    inputs: Object.fromEntries(made),
  });
}

function placesOf(input: string, names: readonly string[]): readonly number[] {
  const own = names.indexOf(input);
  if (own >= 0) return [own];
  for (const separator of [".", "_"]) {
    const places: number[] = [];
    for (;;) {
      const next = names.indexOf(`${input}${separator}${places.length}`);
      if (next < 0) break;
      places.push(next);
    }
    if (places.length > 0) return places;
  }
  return [];
}

/** The shape of one example of an input that `count` columns feed. */
function dimsOf(data: Dataset, { name, shape }: Value, count: number): readonly number[] {
  const wanted = shape.slice(1);
  if (isConcrete(wanted) && sizeOf(wanted) === count) return wanted;
  if (wanted.length === 1 && typeof wanted[0] === "string") return [count];
  throw misfit(data, `needs columns for examples of shape [${wanted.join(", ")}] of input "${name}"`, count);
}

function valuesOf(data: Dataset, { name, dtype }: Value, places: readonly number[]): ColumnData {
  const width = data.features.length / data.count;
  const values = new Float32Array(data.count * places.length);
  for (let example = 0; example < data.count; example++) {
    places.forEach((place, at) => {
      values[example * places.length + at] = data.features[example * width + place] as number;
    });
  }
  if (dtype === "float32") return values;
  const least = dtype === "bool" ? 0 : -largest;
  const most = dtype === "bool" ? 1 : largest;
  const wrong = values.find((value) => !Number.isInteger(value) || value < least || value > most);
  if (wrong !== undefined) {
    throw new EspalierError("ARGUMENT", {
      thing: `columns of ${data.name} for input "${name}"`,
      rule: `must contain whole numbers from ${least} to ${most}, because the model's input is ${dtype}`,
      received: wrong,
      remedy: "Leave --standardize out, and number categories.",
    });
  }
  if (dtype === "int64") return BigInt64Array.from(values, BigInt);
  return dtype === "int32" ? Int32Array.from(values) : Uint8Array.from(values);
}

function misfit(data: Dataset, rule: string, received: unknown): EspalierError {
  return new EspalierError("SHAPE_MISMATCH", {
    thing: `data "${data.name}"`,
    rule,
    received: data.featureNames === undefined ? "columns without names" : received,
    remedy: `Use a CSV file. ${naming}`,
  });
}
