import { unitPositions } from "../../graph/layout.ts";
import { type Combine, dropUnits, type ShrinkEdit } from "../../growth/shrink/shrink-apply.ts";
import type { ShrinkPlan } from "../../growth/shrink/shrink-plan.ts";
import { int32, type Tensor } from "../../tensor/tensor.ts";
import type { LearnerState } from "../learner/learner.ts";
import type { Births } from "../optimizers/ages.ts";
import { type Optimizer, type Slot, slotsOf } from "../optimizers/optimizer.ts";

/** How the entries of a slot of each degree combine when gradients add up. */
const combineOf: Readonly<Record<Slot["degree"], Combine | undefined>> = {
  // Normalized steps are as long after the merge as each was before it.
  0: undefined,
  1: (sum, value, times) => sum + times * value,
  2: (sum, value, times) => (Math.sqrt(sum) + Math.abs(times) * Math.sqrt(value)) ** 2,
};

/**
 * The state of a learner as a shrink leaves it. Entries that stay keep their moments and births.
 *
 * A unit that others were merged into gets the moments that it would have if the group had been one unit all along. Let
 * a group of equal units a = f(wx) have outgoing weights Ωₖ, and let g be the gradient at their consumer. One unit of
 * outgoing weight Ω = ΣΩₖ computes the same. Its gradients are
 * - outgoing: ∂L/∂Ω = g·aᵀ, which equals every ∂L/∂Ωₖ: the moments are those of any unit in the group. The oldest has the best
 *   estimate of them (a newborn copy has none), so its moments and its birth are used;
 * - incoming: ∂L/∂w = Σ Ωₖᵀg·f′·xᵀ = Σ ∂L/∂wₖ: means of gradients add up; for means of squares, Minkowski's inequality
 *   √E[(ΣGₖ)²] ≤ Σ√E[Gₖ²] gives an upper bound, (Σ√vₖ)², which is reached if the gradients are proportional, as those of
 *   halved copies are. So a step is as long as Adam would have made it, or shorter.
 *
 * Merging copies that were just made restores the earlier state. If a unit is merged in proportion, a = c·a₁, the same is
 * true with c·∂L/∂w for ∂L/∂w (of homogeneous activations), and the first unit's outgoing moments stay.
 */
export function shrinkState(
  state: LearnerState,
  plan: ShrinkPlan,
  parameters: ReadonlyMap<string, Tensor>,
  optimizer: Pick<Optimizer, "slots">,
): LearnerState {
  const slots = new Map(state.slots);
  const births = new Map(state.births);
  for (const edit of plan.edits) {
    const axes = births.get(edit.parameter);
    if (axes === undefined) continue;
    const source = oldestOf(axes, edit, plan);
    const own = slots.get(edit.parameter) ?? [];
    const degrees = slotsOf(optimizer, axes.length).map(({ degree }) => degree);
    const combined = (slot: number) => {
      const combine = combineOf[degrees[slot] as Slot["degree"]];
      return edit.role === "outgoing" || combine === undefined ? { source } : { combine };
    };
    slots.set(
      edit.parameter,
      own.map((tensor, slot) => dropUnits(tensor, edit, plan, combined(slot))),
    );
    births.set(edit.parameter, dropBirths(axes, edit, plan, source));
  }
  return { ...state, variables: parameters, slots, births };
}

/** The oldest of the units that each one stands for after the shrink; the unit itself if several are equally old. */
function oldestOf(axes: Births, edit: ShrinkEdit, plan: ShrinkPlan): (unit: number) => number {
  const { perUnit, positions } = unitPositions(edit.layout, plan.from);
  const birthOf = (unit: number) => axes[edit.axis]?.[positions[unit * perUnit] as number] as number;
  const oldest = new Map<number, number>();
  for (const { unit, into, times = 1 } of plan.gone) {
    if (into === undefined || times !== 1) continue;
    if (birthOf(unit) < birthOf(oldest.get(into) ?? into)) oldest.set(into, unit);
  }
  return (unit) => oldest.get(unit) ?? unit;
}

function dropBirths(
  axes: Births,
  edit: ShrinkEdit,
  plan: ShrinkPlan,
  source: (unit: number) => number,
): Births {
  return axes.map((born, axis) => {
    if (axis !== edit.axis) return born;
    const { data } = dropUnits(int32([born.length], born), { ...edit, axis: 0 }, plan, { source });
    return data as Int32Array;
  });
}
