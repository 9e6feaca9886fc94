import { unitPositions } from "../../graph/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Slices } from "../plan/slices.ts";
import type { Width, WidthPart } from "../plan/width.ts";

/** What diagnosis looks at: a forward and a backward pass over one batch. */
export interface Evidence {
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** dL/d(parameter) on the batch. */
  readonly gradients: ReadonlyMap<string, Tensor>;
  /** The activations that {@link Width.reads} names. */
  readonly activations: ReadonlyMap<string, Tensor>;
}

export interface DeadUnit {
  readonly unit: number;
  readonly reason: "zero gradient" | "zero activation";
}

/** Two units that are becoming one. */
export interface Collapse {
  readonly units: readonly [number, number];
  /** Cosine similarity of incoming weights and bias. */
  readonly weights: number;
  /** Cosine similarity of activations over the batch. */
  readonly activations: number;
}

/** The health of one width's units. */
export interface WidthDiagnosis {
  readonly width: string;
  readonly units: number;
  readonly dead: readonly DeadUnit[];
  /** Groups of units with equal incoming weights and bias. */
  readonly identical: readonly (readonly number[])[];
  /** Pairs above the threshold that are not identical. */
  readonly collapsing: readonly Collapse[];
  /** The pair of live units that are most alike; undefined if there are fewer than two. */
  readonly mostAlike: Collapse | undefined;
}

export interface DiagnosisOptions {
  /** Cosine similarity, of weights and of activations, at which a pair counts as collapsing. Default 0.999. */
  readonly threshold?: number;
}

/** Finds the dead, identical and collapsing units of a width. */
export function diagnoseWidth(
  width: Width,
  evidence: Evidence,
  options: DiagnosisOptions = {},
): WidthDiagnosis {
  const threshold = options.threshold ?? 0.999;
  const dead = deadUnits(width, evidence);
  const weights = gather(width, evidence.parameters, isIncoming);
  const identical = identicalUnits(width, evidence.parameters);
  const activations = activationRows(width, evidence.activations);
  const dying = new Set(dead.map(({ unit }) => unit));
  const collapsing: Collapse[] = [];
  let mostAlike: Collapse | undefined;
  const groups = new Map(identical.flatMap((group, index) => group.map((unit) => [unit, index] as const)));
  const weightNorms = weights.map(norm);
  const activationNorms = activations.map(norm);
  for (let a = 0; a < width.size; a++) {
    if (dying.has(a)) continue;
    for (let b = a + 1; b < width.size; b++) {
      if (dying.has(b)) continue;
      const pair: Collapse = {
        units: [a, b],
        weights: cosine(weights, weightNorms, a, b),
        activations: cosine(activations, activationNorms, a, b),
      };
      const alike = Math.min(pair.weights, pair.activations);
      if (mostAlike === undefined || alike > Math.min(mostAlike.weights, mostAlike.activations))
        mostAlike = pair;
      const same = groups.has(a) && groups.get(a) === groups.get(b);
      if (alike >= threshold && !same) collapsing.push(pair);
    }
  }
  return { width: width.id, units: width.size, dead, identical, collapsing, mostAlike };
}

const isIncoming = (part: WidthPart) => part.role === "incoming" || part.role === "shift";

/** Those of `units` whose weights all have zero gradient, or that are zero on the whole batch. */
export function deadUnits(width: Width, evidence: Evidence, units = allUnits(width)): readonly DeadUnit[] {
  const gradients = gather(width, evidence.gradients, () => true, units);
  const activations = activationRows(width, evidence.activations, units);
  return units.flatMap((unit, index): DeadUnit[] => {
    if (isZero(gradients[index])) return [{ unit, reason: "zero gradient" }];
    return isZero(activations[index]) ? [{ unit, reason: "zero activation" }] : [];
  });
}

function allUnits(width: Width): readonly number[] {
  return Array.from({ length: width.size }, (_, unit) => unit);
}

/** Groups of two or more units with the same incoming weights and bias, entry for entry, ordered by their first unit. */
export function identicalUnits(
  width: Width,
  parameters: ReadonlyMap<string, Tensor>,
): readonly (readonly number[])[] {
  const slices = slicesOf(width, parameters, isIncoming);
  // One row for all: all units at once would take as much memory as the parameters, at each growth.
  const row = new Float32Array(lengthOf(slices));
  const buckets = new Map<number, number[]>();
  for (let unit = 0; unit < width.size; unit++) {
    copyUnit(slices, unit, row, 0);
    const hash = hashValues(row);
    const bucket = buckets.get(hash);
    if (bucket === undefined) buckets.set(hash, [unit]);
    else bucket.push(unit);
  }
  return [...buckets.values()]
    .filter((units) => units.length > 1)
    .flatMap((units) => equalGroups(units, gather(width, parameters, isIncoming, units)))
    .sort(([a = 0], [b = 0]) => a - b);
}

/** Groups of two or more of `units` whose rows are equal. */
function equalGroups(
  units: readonly number[],
  rows: readonly Float32Array[],
): readonly (readonly number[])[] {
  const groups: number[][] = [];
  rows.forEach((row, index) => {
    const group = groups.find(([first]) => equalValues(rows[first as number] as Float32Array, row));
    if (group === undefined) groups.push([index]);
    else group.push(index);
  });
  return groups
    .filter((group) => group.length > 1)
    .map((group) => group.map((index) => units[index] as number));
}

/** FNV-1a over the bits of the first few values (zeros of either sign alike): enough to distinguish most units. */
function hashValues(values: Float32Array): number {
  const length = Math.min(values.length, 16);
  const bits = new Uint32Array(values.buffer, values.byteOffset, length);
  let hash = 0x811c9dc5;
  for (let index = 0; index < length; index++) {
    const word = bits[index] as number;
    hash = Math.imul(hash ^ (word === 0x80000000 ? 0 : word), 0x01000193);
  }
  return hash;
}

function equalValues(a: Float32Array, b: Float32Array): boolean {
  return a.every((value, index) => value === b[index]);
}

/** The incoming weights and biases of each unit of a width. */
export function incomingWeights(
  width: Width,
  parameters: ReadonlyMap<string, Tensor>,
): readonly Float32Array[] {
  return gather(width, parameters, isIncoming);
}

/** The Euclidean norm of the gradient of each of `units`, over all its weights. */
export function gradientNorms(
  width: Width,
  gradients: ReadonlyMap<string, Tensor>,
  units = allUnits(width),
): readonly number[] {
  return gather(width, gradients, () => true, units).map(norm);
}

/** For each of `units`, its entries of those parameters of a width that `wanted` picks: rows of one array. */
function gather(
  width: Width,
  tensors: ReadonlyMap<string, Tensor>,
  wanted: (part: WidthPart) => boolean,
  units = allUnits(width),
): readonly Float32Array[] {
  const slices = slicesOf(width, tensors, wanted);
  const length = lengthOf(slices);
  const rows = new Float32Array(units.length * length);
  return units.map((unit, index) => {
    copyUnit(slices, unit, rows, index * length);
    return rows.subarray(index * length, (index + 1) * length);
  });
}

function slicesOf(
  width: Width,
  tensors: ReadonlyMap<string, Tensor>,
  wanted: (part: WidthPart) => boolean,
): readonly Slices[] {
  return width.parts.filter(wanted).flatMap(({ parameter, axis, layout }) => {
    const tensor = tensors.get(parameter);
    if (tensor === undefined || tensor.dtype !== "float32") return [];
    return [new Slices(parameter, tensor as Tensor<"float32">, axis, unitPositions(layout, width.size))];
  });
}

/** Number of values that belong to one unit. */
function lengthOf(slices: readonly Slices[]): number {
  return slices.reduce((sum, { length }) => sum + length, 0);
}

function copyUnit(slices: readonly Slices[], unit: number, into: Float32Array, offset: number): void {
  slices.reduce((at, part) => {
    part.copy(unit, into, at);
    return at + part.length;
  }, offset);
}

/** For each of `units`, its activations over the batch. */
export function activationRows(
  width: Width,
  activations: ReadonlyMap<string, Tensor>,
  units = allUnits(width),
): readonly Float32Array[] {
  const reads = width.reads.map(({ value, axis, layout }) => ({
    parameter: value,
    axis,
    layout,
    role: "shift" as const,
    fill: "zero" as const,
  }));
  return gather({ ...width, parts: reads }, activations, () => true, units);
}

/** Whether there are values and all are zero. There may be none: no weight reads keys, and frozen weights have no gradient. */
function isZero(values: Float32Array | undefined): boolean {
  return values !== undefined && values.length > 0 && values.every((value) => value === 0);
}

function norm(values: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += (values[index] as number) ** 2;
  return Math.sqrt(sum);
}

/** 0 if either is zero. */
function cosine(rows: readonly Float32Array[], norms: readonly number[], a: number, b: number): number {
  const left = rows[a] as Float32Array;
  const right = rows[b] as Float32Array;
  const scale = (norms[a] as number) * (norms[b] as number);
  if (scale === 0) return 0;
  let dot = 0;
  for (let index = 0; index < left.length; index++) dot += (left[index] as number) * (right[index] as number);
  return dot / scale;
}
