import { unitLayout } from "../../graph/layout.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { asNumbers, bytesFrom, realsFrom } from "../folder/reals.ts";
import type { GrownTensor, Stage } from "../grow/growing.ts";
import { repeatedIndices } from "../grow/grown-rows.ts";
import type { PlannedFolder } from "../grow/plan-growth.ts";
import { mappedRows, type Rows, rowCount, rowLength, takenRows } from "../grow/rows.ts";
import { widenedRows } from "../grow/widened-rows.ts";
import { type OptimizerState, type ParameterState, type StateTensor, slotDegrees } from "./state.ts";

/** A tensor to write: its pieces come to its bytes. */
export interface GrownStateTensor {
  readonly dtype: StateTensor["dtype"];
  readonly dims: readonly number[];
  readonly pieces: () => Iterable<Uint8Array>;
}

/** An {@link OptimizerState} as it shall be written. */
export interface GrownState extends Omit<OptimizerState, "states"> {
  readonly states: ReadonlyMap<string, ReadonlyMap<string, GrownStateTensor | number | null>>;
}

/** Elements of a block that is made and written at a time. */
const blockEntries = 2 ** 20;

/**
 * The state of an optimizer for a grown model, by the plan of its weights. What happens to a parameter's gradient happens to
 * its moments: where weights are multiplied by c, they are divided by c and c²; where k copies share what one did, each
 * has a k-th of the gradient; weights that are given whole to one copy have the old gradient everywhere. Weights that are
 * new have no mean gradient yet and the mean square of their tensor, as PyTorch counts updates by tensor: with zero, they would
 * take steps of several learning rates. New layers have no state.
 */
export function growState(state: OptimizerState, { tensors }: PlannedFolder): GrownState {
  const sources = new Map<string, GrownTensor[]>();
  for (const tensor of tensors) sources.set(tensor.source, [...(sources.get(tensor.source) ?? []), tensor]);
  const states = new Map<string, ReadonlyMap<string, GrownStateTensor | number | null>>();
  for (const [source, own] of state.states) {
    const heir = sources.get(source)?.find(({ stages }) => stages.every(({ kind }) => kind !== "constant"));
    if (heir !== undefined) states.set(heir.name, grownSlots(own, heir));
  }
  const groups = state.groups.map(({ options, parameters }) => ({
    options,
    parameters: grownOrder(parameters, sources),
  }));
  return { ...state, groups, states };
}

/** A new layer's parameters come behind all of the layer that it is a copy of, in the same order. */
function grownOrder(
  parameters: readonly string[],
  sources: ReadonlyMap<string, readonly GrownTensor[]>,
): readonly string[] {
  const firstOf = new Map<string, number>();
  const layerOf = (name: string) => /^(?:.*?\.)?\d+(?=\.)/.exec(name)?.[0] ?? name;
  parameters.forEach((name, at) => {
    const layer = layerOf(name);
    if (!firstOf.has(layer)) firstOf.set(layer, at);
  });
  return parameters
    .flatMap((source, at) =>
      (sources.get(source) ?? []).map(({ name }, copy) => ({
        name,
        place: [firstOf.get(layerOf(source)) as number, copy, at] as const,
      })),
    )
    .sort(({ place: a }, { place: b }) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2])
    .map(({ name }) => name);
}

function grownSlots(state: ParameterState, tensor: GrownTensor) {
  const slots = new Map<string, GrownStateTensor | number | null>();
  for (const [key, value] of state) {
    const degree = slotDegrees.get(key);
    if (typeof value !== "object" || value === null) slots.set(key, value);
    else if (degree === undefined) slots.set(key, { ...value, pieces: () => asItLies(value) });
    else slots.set(key, grownSlot(value, tensor, degree));
  }
  return slots;
}

function grownSlot(value: StateTensor, { name, dims, stages }: GrownTensor, degree: 1 | 2): GrownStateTensor {
  const { dtype } = value;
  if (stages.length === 0) return { dtype, dims, pieces: () => asItLies(value) };
  return {
    dtype,
    dims,
    *pieces() {
      const rows = stagedRows(value, stages, degree);
      if (rows.dims.join() !== dims.join()) {
        throw new EspalierError("INVALID_MODEL", {
          thing: `optimizer state of "${name}"`,
          rule: `must become [${dims.join(", ")}]`,
          received: rows.dims,
        });
      }
      const [count, each] = [rowCount(rows), rowsOfBlock(rows)];
      for (let at = 0; at < count; at += each) {
        yield bytesFrom(rows.rows(at, Math.min(each, count - at)), dtype);
      }
    },
  };
}

const rowsOfBlock = (rows: Rows) => Math.max(1, Math.floor(blockEntries / Math.max(1, rowLength(rows))));

function* asItLies({ dims, read }: StateTensor): Generator<Uint8Array> {
  const size = sizeOf(dims);
  for (let at = 0; at < size; at += blockEntries) yield read(at, Math.min(blockEntries, size - at));
}

function stagedRows({ dtype, dims, read }: StateTensor, stages: readonly Stage[], degree: 1 | 2): Rows {
  const length = rowLength({ dims });
  let rows: Rows = {
    dims,
    holding: asNumbers,
    rows: (from, count) => realsFrom(read(from * length, count * length), dtype, count * length),
  };
  // What a new entry holds: it follows what later stages do to the others.
  let fresh = degree === 2 ? meanOf(rows) : 0;
  const divide = (by: number) => {
    fresh /= by;
    return (value: number) => value / by;
  };
  for (const stage of stages) {
    if (stage.kind === "scale") rows = mappedRows(rows, divide(stage.factor ** degree));
    else if (stage.kind === "repeat") rows = repeated(rows, stage, stage.times ** degree);
    else if (stage.kind === "rows") {
      const [from] = rows.dims as [number];
      rows = widened(rows, { axis: 0, layout: unitLayout, from, to: from + stage.by, fill: "zero" }, fresh);
    } else if (stage.kind === "widen") {
      const { edit, from, to } = stage;
      const { axis, layout, fill } = edit;
      const copied = fill === "copy" || fill === "part";
      rows = widened(rows, { axis, layout, from, to, fill: copied ? "copy" : "zero" }, fresh);
      if (fill === "copy") rows = mappedRows(rows, divide((to / from) ** degree));
    }
  }
  return rows;
}

interface Axis {
  readonly axis: number;
  readonly layout: typeof unitLayout;
  readonly from: number;
  readonly to: number;
  readonly fill: "copy" | "zero";
}

/** New units are copies, or hold `fresh` throughout. */
function widened(source: Rows, { axis, layout, from, to, fill }: Axis, fresh: number): Rows {
  const entry = { kind: "constant", value: fresh } as const;
  return widenedRows(source, {
    edit: { parameter: "", axis, layout, fill },
    from,
    to,
    seed: 0,
    offset: 0,
    entry,
  });
}

/** Repeated heads share out the gradient of the one that they repeat. */
function repeated(source: Rows, stage: Stage & { kind: "repeat" }, by: number): Rows {
  const { axis, first, end, times } = stage;
  const taken = takenRows(source, axis, repeatedIndices(source, stage));
  const last = first + (end - first) * times;
  const [size, inner] = [taken.dims[axis] as number, sizeOf(taken.dims.slice(axis + 1))];
  return {
    ...taken,
    rows(from, count) {
      const values = taken.rows(from, count);
      // Positions of the axis that the window has, block after block.
      const begin = axis === 0 ? from : 0;
      for (let start = 0, position = begin; start < values.length; start += inner, position++) {
        if (position === size) position = 0;
        if (position < first || position >= last) continue;
        for (let at = start; at < start + inner; at++) values[at] = (values[at] as number) / by;
      }
      return values;
    },
  };
}

function meanOf(rows: Rows): number {
  const [count, each] = [rowCount(rows), rowsOfBlock(rows)];
  let sum = 0;
  for (let at = 0; at < count; at += each) {
    for (const value of rows.rows(at, Math.min(each, count - at))) sum += value;
  }
  return sum / Math.max(1, sizeOf(rows.dims));
}
