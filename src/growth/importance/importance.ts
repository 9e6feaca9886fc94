import type { Tensor } from "../../tensor/tensor.ts";
import type { Evidence } from "../examine/diagnose.ts";
import { isReal } from "../plan/real-parameter.ts";
import { UnitEntries } from "../plan/unit-entries.ts";
import type { Width, WidthPart } from "../plan/width.ts";

/** What a score may need besides the weights. */
export type EvidenceKind = "gradients" | "activations";

/** How much each unit of a width matters: the least important go first. */
export interface Importance {
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  readonly needs: readonly EvidenceKind[];
  /** One number per unit, at least 0. */
  readonly score: (width: Width, evidence: Evidence) => readonly number[];
}

export const isOutgoing = ({ role }: WidthPart) => role === "outgoing";
export const isIncoming = ({ role }: WidthPart) => role === "incoming" || role === "shift";

/** For each unit, the sum of `of` over its entries in the parameters that `wanted` picks; `tensors` have their shapes. */
export function sumOverUnits(
  width: Width,
  tensors: ReadonlyMap<string, Tensor>,
  wanted: (part: WidthPart) => boolean,
  of: (value: number, parameter: string, offset: number) => number,
): readonly number[] {
  const sums = new Array<number>(width.size).fill(0);
  for (const part of width.parts.filter(wanted)) {
    const tensor = tensors.get(part.parameter);
    if (tensor === undefined || !isReal(tensor.dtype)) continue;
    const entries = new UnitEntries(part, tensor, width.size);
    for (let unit = 0; unit < width.size; unit++) {
      for (const offset of entries.offsetsOf(unit))
        sums[unit] = (sums[unit] as number) + of(entries.values[offset] as number, part.parameter, offset);
    }
  }
  return sums;
}

/** For each unit, the Euclidean norm of the weights that `wanted` picks. */
export function weightNorms(
  width: Width,
  { parameters }: Pick<Evidence, "parameters">,
  wanted: (part: WidthPart) => boolean,
): readonly number[] {
  return sumOverUnits(width, parameters, wanted, (value) => value * value).map(Math.sqrt);
}
