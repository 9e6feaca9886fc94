import { EspalierError } from "../../tensor/errors.ts";
import type { Matrix } from "./matrix.ts";
import type { Slices } from "./slices.ts";
import type { WidthPart } from "./width.ts";

/** What a strategy chose after seeing data, as plain JSON, so that its plan can be repeated without the data. */
export interface Choice {
  /** For each new unit, the number of the strategy's draw that it gets. */
  readonly picks?: readonly number[];
  /** Values of new units, one entry per part of the width (keyed as `choiceKey` does): float32, unit after unit, little-endian in base64. */
  readonly values?: Readonly<Record<string, string>>;
}

/** The key by which a choice refers to the new slices of one axis of one parameter. */
export const choiceKey = ({ parameter, axis }: Pick<WidthPart, "parameter" | "axis">) =>
  `${parameter} axis ${axis}`;

export function encodeValues(values: Float32Array): string {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, index) => {
    view.setFloat32(4 * index, value, true);
  });
  let text = "";
  for (let at = 0; at < view.byteLength; at++) text += String.fromCharCode(view.getUint8(at));
  return btoa(text);
}

export function decodeValues(text: string): Float32Array {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(4 * index, true));
}

/**
 * Values for the parts of one side of a width, from a matrix with a row for each new unit: the entries of the parts,
 * concatenated. `entries` is how many a unit has in each, by {@link choiceKey}.
 */
export function encodeSide(
  parts: readonly WidthPart[],
  entries: ReadonlyMap<string, number>,
  { rows, columns, data }: Matrix,
): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  let start = 0;
  for (const part of parts) {
    const length = entries.get(choiceKey(part)) ?? 0;
    const own = new Float32Array(rows * length);
    for (let row = 0; row < rows; row++) {
      const from = row * columns + start;
      own.set(data.subarray(from, from + length), row * length);
    }
    values[choiceKey(part)] = encodeValues(own);
    start += length;
  }
  return values;
}

/** The parts of a plan that its new values need: units before and after, and what was chosen. */
interface Chosen {
  readonly from: number;
  readonly to: number;
  readonly choice?: Choice;
}

/** Writes the values that a plan's choice has for an edit; false if it has none. Throws `FORMAT` if they do not fit. */
export function fillChosen(slices: Slices, edit: WidthPart, { choice, from, to }: Chosen): boolean {
  const text = choice?.values?.[choiceKey(edit)];
  if (text === undefined) return false;
  const values = decodeValues(text);
  if (values.length !== (to - from) * slices.length || !values.every(Number.isFinite)) {
    throw new EspalierError("FORMAT", {
      thing: `chosen values for ${choiceKey(edit)}`,
      rule: `must be ${slices.length} finite numbers for each of ${to - from} new units`,
      received: values.length,
    });
  }
  for (let unit = from; unit < to; unit++) {
    const start = (unit - from) * slices.length;
    slices.map(unit, (_, index) => values[start + index] as number);
  }
  return true;
}

/**
 * A choice from untrusted JSON, for `units` new units of `parts`. Throws `FORMAT` unless it has one pick, or float32
 * values, for each.
 */
export function readChoice(json: unknown, units: number, parts: readonly WidthPart[]): Choice | undefined {
  if (json === undefined) return undefined;
  const { picks, values } = (typeof json === "object" && json !== null ? json : {}) as Choice;
  const keys = new Set(parts.map(choiceKey));
  const fits =
    (picks === undefined || (Array.isArray(picks) && picks.length === units && picks.every(isCount))) &&
    (values === undefined ||
      (typeof values === "object" &&
        values !== null &&
        Object.entries(values).every(([key, text]) => keys.has(key) && isBase64(text)))) &&
    (picks ?? values) !== undefined;
  if (fits) return { ...(picks === undefined ? {} : { picks }), ...(values === undefined ? {} : { values }) };
  throw new EspalierError("FORMAT", {
    thing: "choice of a plan",
    rule: `must contain a pick for each of ${units} new units, or their values in base64`,
    received: JSON.stringify(json)?.slice(0, 80),
  });
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isBase64 = (value: unknown) =>
  typeof value === "string" && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
