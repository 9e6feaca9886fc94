import { keptPositions } from "../../graph/layout.ts";
import type { Graph, Model } from "../../graph/model.ts";
import { take, takesTo } from "../../tensor/axis.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { realParameter, sizePatch, withSizes } from "../grow/apply.ts";
import type { IndexedGraph, Patch } from "../plan/indexed-graph.ts";
import { writeReal } from "../plan/real-parameter.ts";
import { UnitEntries } from "../plan/unit-entries.ts";
import type { WidthPart } from "../plan/width.ts";
import type { ShrinkPlan } from "./shrink-plan.ts";

export type ShrinkEdit = ShrinkPlan["edits"][number];

/** The units that stay, in order: unit `i` of the result was `keptUnits(plan)[i]`. */
export function keptUnits({ from, gone }: ShrinkPlan): readonly number[] {
  const leaving = new Set(gone.map(({ unit }) => unit));
  return Array.from({ length: from }, (_, unit) => unit).filter((unit) => !leaving.has(unit));
}

/** Folds one of several entries that become one into a running value, which starts as the kept unit's. */
export type Combine = (sofar: number, value: number, times: number) => number;

/** Outgoing weights add up. */
const add: Combine = (sum, value, times) => sum + times * value;

/**
 * A tensor of a parameter's shape with the slices of the units that stay. If units are merged, `combine` makes one entry
 * of several, in double precision and rounded once. `source` may take a unit's slices from another of its group.
 */
export function dropUnits(
  tensor: Tensor,
  edit: ShrinkEdit,
  plan: ShrinkPlan,
  { combine, source = (unit) => unit }: { combine?: Combine; source?: (unit: number) => number } = {},
): Tensor {
  const kept = keptUnits(plan);
  const shrunk = take(tensor, edit.axis, keptPositions(edit.layout, plan.from, kept.map(source)));
  const merged = plan.gone.filter(({ into }) => into !== undefined);
  if (combine === undefined || merged.length === 0) return shrunk;
  const part: WidthPart = { ...edit, fill: "zero" };
  const before = new UnitEntries(part, tensor, plan.from);
  const after = new UnitEntries(part, shrunk, plan.to);
  for (const unit of new Set(merged.map(({ into }) => into as number))) {
    const values = before.of(unit);
    for (const { unit: other, times = 1 } of merged.filter(({ into }) => into === unit)) {
      before.of(other).forEach((value, index) => {
        values[index] = combine(values[index] as number, value, times);
      });
    }
    after.offsetsOf(kept.indexOf(unit)).forEach((offset, index) => {
      writeReal(shrunk, offset, values[index] as number);
    });
  }
  return shrunk;
}

/** Takes the units of a plan out of a tensor, for one edit. */
export type Drop = (
  tensor: Tensor,
  edit: ShrinkEdit,
  plan: ShrinkPlan,
  merging: { readonly combine?: Combine },
) => Tensor;

/** Whether {@link dropUnits} would give `other`, bit for bit; false for merged units. Nothing is copied. */
export function dropsTo(tensor: Tensor, edit: ShrinkEdit, plan: ShrinkPlan, other: Tensor): boolean {
  if (plan.gone.some(({ into }) => into !== undefined)) return false;
  return takesTo(tensor, edit.axis, keptPositions(edit.layout, plan.from, keptUnits(plan)), other);
}

/**
 * Takes the units of a plan out of a model: removes their slices from every parameter, adjusts the sizes written in the
 * model, and repairs its normalizations. The outgoing weights of merged units are added up in double precision and
 * rounded once, so the outputs stay within the rounding bound, and have the same bits if the sums are exact. `drop` may give an
 * equal tensor that exists already. Pure. Throws `UNSUPPORTED_TYPE`, and `NOT_GROWABLE` if the sizes do not work out.
 */
export function applyShrink(model: Model, plan: ShrinkPlan, drop: Drop = dropUnits): Model {
  return withSizes(model, shrunkParameters(model.graph, plan, drop), plan);
}

/** What {@link applyShrink} changes in a graph. */
export function shrinkPatch(graph: IndexedGraph, plan: ShrinkPlan): Patch {
  return sizePatch(graph, shrunkParameters(graph, plan, dropUnits), plan);
}

/** The parameters that a plan changes. */
function shrunkParameters(
  { parameters }: Pick<Graph, "parameters">,
  plan: ShrinkPlan,
  drop: Drop,
): ReadonlyMap<string, Tensor> {
  const changed = new Map<string, Tensor>();
  for (const edit of plan.edits) {
    const tensor = realParameter(changed.has(edit.parameter) ? changed : parameters, edit.parameter);
    const combining = edit.role === "outgoing" ? { combine: add } : {};
    changed.set(edit.parameter, drop(tensor, edit, plan, combining));
  }
  return changed;
}
