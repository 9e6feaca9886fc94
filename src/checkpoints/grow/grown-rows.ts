import { Random } from "../../tensor/random.ts";
import { asNumbers, asStored, entriesFrom } from "../folder/reals.ts";
import type { StoredTensor, Weights } from "../folder/weights.ts";
import { entryFill } from "./entry-fill.ts";
import type { GrownTensor, Stage, Values } from "./growing.ts";
import { constantRows, mappedRows, type Rows, rowCount, rowLength, takenRows } from "./rows.ts";
import { widenedRows } from "./widened-rows.ts";

/** A stored tensor with everything done to it that was planned, row by row. */
export function rowsOf(weights: Weights, stored: StoredTensor, tensor: GrownTensor, values: Values): Rows {
  const length = rowLength(stored);
  const holding = tensor.stages.some(calculates) ? asNumbers : asStored(tensor.dtype);
  const source: Rows = {
    dims: stored.dims,
    holding,
    rows: (from, count) =>
      entriesFrom(weights.read(stored, from * length, count * length), stored.dtype, count * length, holding),
  };
  return tensor.stages.reduce((rows, stage) => staged(rows, stage, tensor.name, values), source);
}

/** Whether a stage computes with old entries, where others move them. */
const calculates = (stage: Stage) =>
  stage.kind === "scale" || stage.kind === "share" || (stage.kind === "widen" && stage.edit.fill === "mean");

function staged(source: Rows, stage: Stage, name: string, { strategy, seed }: Values): Rows {
  if (stage.kind === "constant") return constantRows(source, stage.value);
  if (stage.kind === "scale") {
    const { factor, offset } = stage;
    return mappedRows(source, (value) => (value + offset) * factor - offset);
  }
  if (stage.kind === "repeat") return takenRows(source, stage.axis, repeatedIndices(source, stage));
  if (stage.kind === "share") return sharedRows(source, stage, seed);
  if (stage.kind === "fresh") {
    const none = { ...source, dims: [0, ...source.dims.slice(1)] };
    return withRows(none, { by: stage.rows, deviation: stage.deviation }, name, seed);
  }
  if (stage.kind === "rows") return withRows(source, stage, name, seed);
  const { edit, from, to, offset } = stage;
  // A copied layer draws values of its own.
  const own = { ...edit, parameter: name };
  return widenedRows(source, {
    edit: own,
    from,
    to,
    seed,
    offset,
    entry: entryFill(edit.fill, edit.role, strategy),
  });
}

export function repeatedIndices(
  { dims }: Rows,
  { axis, inner, times, first, end }: Stage & { kind: "repeat" },
): Int32Array {
  const indices: number[] = [];
  for (let at = 0; at < (dims[axis] as number); ) {
    if (at < first || at >= end) indices.push(at++);
    else {
      for (let copy = 0; copy < times; copy++) for (let one = 0; one < inner; one++) indices.push(at + one);
      at += inner;
    }
  }
  return Int32Array.from(indices);
}

/** A matrix whose columns are shared out among copies of it, each given whole to one of them. */
function sharedRows(source: Rows, { part, parts, draws }: Stage & { kind: "share" }, seed: number): Rows {
  const owner = new Random(seed, `share of ${draws}`);
  const factors = Array.from({ length: rowLength(source) }, () =>
    owner.integer(parts) === part ? parts : 0,
  );
  return mappedRows(source, (value, place) => value * (factors[place] as number));
}

/** Row after row at the end, each from a generator of its own. */
function withRows(
  source: Rows,
  { by, deviation }: { readonly by: number; readonly deviation: number },
  name: string,
  seed: number,
): Rows {
  const { holding } = source;
  const [old, length] = [rowCount(source), rowLength(source)];
  const drawn = new Float64Array(length);
  return {
    holding,
    dims: [old + by, ...source.dims.slice(1)],
    storedRow: (row) => (row < old ? (source.storedRow?.(row) ?? -1) : -1),
    rows(from, count) {
      const values = holding.make(count * length);
      const kept = Math.max(0, Math.min(count, old - from));
      if (kept > 0) values.set(source.rows(from, kept));
      if (deviation === 0) return values;
      for (let row = Math.max(from, old); row < from + count; row++) {
        new Random(seed, `rows of ${name}`, row).fillNormal(drawn);
        const start = (row - from) * length;
        for (let at = 0; at < length; at++)
          values[start + at] = holding.stored(deviation * (drawn[at] as number));
      }
      return values;
    },
  };
}
