import type { Tensor } from "../../tensor/tensor.ts";
import { isReal } from "../plan/real-parameter.ts";
import { UnitEntries } from "../plan/unit-entries.ts";
import type { Width } from "../plan/width.ts";
import {
  activationRows,
  type DeadUnit,
  type DiagnosisOptions,
  diagnoseWidth,
  type Evidence,
} from "./diagnose.ts";

/** Units that a width could do without. */
export interface RedundantUnits {
  /** With zero gradient, or zero on every example. */
  readonly dead: readonly DeadUnit[];
  /** All units that are zero wherever a weight reads them, on every example. */
  readonly silent: ReadonlySet<number>;
  /** Groups of units that are equal in all but their outgoing weights. */
  readonly identical: readonly (readonly number[])[];
  /** Groups of units that are becoming one, and each unit's share in the first of its group. */
  readonly collapsing: readonly {
    readonly units: readonly number[];
    readonly times: ReadonlyMap<number, number>;
  }[];
}

/** Finds the units that a width could do without, judged on one batch. */
export function redundantUnits(
  width: Width,
  evidence: Evidence,
  options: DiagnosisOptions = {},
): RedundantUnits {
  const { dead, collapsing } = diagnoseWidth(width, evidence, options);
  return {
    dead,
    silent: silentUnits(width, evidence.activations),
    identical: equalUnits(width, evidence.parameters),
    collapsing: groupPairs(collapsing.map(({ units }) => units)).map((units) => ({
      units,
      times: sharesOf(width, evidence, units),
    })),
  };
}

/** Units that are zero at every read, on every example; none if the activations of some read are missing. */
export function silentUnits(width: Width, activations: ReadonlyMap<string, Tensor>): ReadonlySet<number> {
  const seen = width.reads.every(({ value }) => activations.get(value)?.dtype === "float32");
  if (!seen || width.reads.length === 0) return new Set();
  const rows = activationRows(width, activations);
  const units = rows.flatMap((row, unit) => (row.every((value) => value === 0) ? [unit] : []));
  return new Set(units);
}

/** Groups of two or more units that are equal in every parameter of the width except outgoing weights. */
export function equalUnits(
  width: Width,
  parameters: ReadonlyMap<string, Tensor>,
): readonly (readonly number[])[] {
  const entries = width.parts
    .filter(({ role }) => role !== "outgoing")
    .flatMap((part) => {
      const tensor = parameters.get(part.parameter);
      return tensor === undefined || !isReal(tensor.dtype) ? [] : [new UnitEntries(part, tensor, width.size)];
    });
  if (entries.length === 0) return [];
  let groups: (readonly number[])[] = [Array.from({ length: width.size }, (_, unit) => unit)];
  // Each parameter splits the groups further; most are gone after the first.
  for (const one of entries) groups = groups.flatMap((group) => splitEqual(group, one));
  return groups.sort(([a = 0], [b = 0]) => a - b);
}

function splitEqual(units: readonly number[], entries: UnitEntries): readonly (readonly number[])[] {
  const buckets = new Map<number, number[][]>();
  for (const unit of units) {
    const own = entries.of(unit);
    const hash = hashOf(own);
    const bucket = buckets.get(hash) ?? [];
    buckets.set(hash, bucket);
    const group = bucket.find(([first]) => {
      const other = entries.of(first as number);
      return own.every((value, index) => value === other[index]);
    });
    if (group === undefined) bucket.push([unit]);
    else group.push(unit);
  }
  return [...buckets.values()].flat().filter((group) => group.length > 1);
}

/** FNV-1a over the bits of all values, zeros of either sign alike. */
function hashOf(values: Float64Array): number {
  const words = new Uint32Array(values.map((value) => value + 0).buffer);
  let hash = 0x811c9dc5;
  for (let index = 0; index < words.length; index++) {
    hash = Math.imul(hash ^ (words[index] as number), 0x01000193);
  }
  return hash;
}

/** Pairs as groups around their first units; a unit that is in a group already joins no other. */
function groupPairs(pairs: readonly (readonly [number, number])[]): readonly (readonly number[])[] {
  const groups = new Map<number, number[]>();
  const taken = new Set<number>();
  for (const [first, second] of pairs) {
    if (taken.has(first) || taken.has(second) || groups.has(second)) continue;
    taken.add(second);
    groups.set(first, [...(groups.get(first) ?? [first]), second]);
  }
  return [...groups.values()];
}

/**
 * For each unit of a group but the first, the c that minimizes ‖a − c·a₁‖² over the batch: with c·Ω added to the first
 * unit's outgoing weights, what reads them moves least.
 */
function sharesOf(
  width: Width,
  { activations }: Evidence,
  [first, ...others]: readonly number[],
): ReadonlyMap<number, number> {
  const [kept, ...rows] = activationRows(width, activations, [first as number, ...others]);
  const dot = (a: Float32Array | undefined, b: Float32Array | undefined) =>
    a?.reduce((sum, value, index) => sum + value * (b?.[index] as number), 0) ?? 0;
  return new Map(others.map((unit, index) => [unit, dot(kept, rows[index]) / dot(kept, kept)]));
}
