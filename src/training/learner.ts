import type { Feeds } from "../engine/session.ts";
import { growthIndices } from "../graph/layout.ts";
import { editsOf, insertZeros } from "../growth/apply.ts";
import type { GrowthPlan } from "../growth/plan.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Births } from "./ages.ts";

/** Everything that a training step changes, as plain data. */
export interface LearnerState {
  /** Trained parameters, running statistics and whatever can grow, by name. */
  readonly variables: ReadonlyMap<string, Tensor>;
  /** Optimiser state of each trained parameter, in the order of the optimiser's slots. */
  readonly slots: ReadonlyMap<string, readonly Tensor[]>;
  /** When each entry of each trained parameter was born. */
  readonly births: ReadonlyMap<string, Births>;
}

/** Runs training steps on a state that it holds where the engine works fastest. */
export interface Learner {
  /**
   * Runs step `step` (counted from 0) and returns the loss before its update. Where the loss is not finite, the
   * parameters go back to those of the last finite loss, and the optimiser's state starts over at age 0.
   */
  step(feeds: Feeds, step: number): Promise<number>;
  /** The gradients of the trained parameters on a batch; changes nothing. Good until the next step, load or call. */
  gradients(
    feeds: Feeds,
  ): Promise<{ readonly loss: number; readonly gradients: ReadonlyMap<string, Tensor> }>;
  /** The variables as feeds for other graphs, without copying; good until the next step or load. */
  readonly variables: Feeds;
  /** A copy of the state. */
  state(): LearnerState;
  /** Replaces the state; shapes may differ from before. */
  load(state: LearnerState): void;
  release(): Promise<void>;
}

/** The optimiser's side of a growth: moments start at zero and new entries are born now, after `step` updates. */
export function growOptimizerState(
  state: LearnerState,
  plan: GrowthPlan,
  step: number,
): Omit<LearnerState, "variables"> {
  const slots = new Map<string, readonly Tensor[]>();
  const births = new Map<string, Births>();
  for (const [name, tensors] of state.slots) {
    const edits = editsOf(plan, name);
    slots.set(
      name,
      tensors.map((tensor) => edits.reduce((grown, edit) => insertZeros(grown, edit, plan), tensor)),
    );
  }
  for (const [name, axes] of state.births) {
    const edits = editsOf(plan, name);
    births.set(
      name,
      axes.map((axis, index) =>
        edits
          .filter((edit) => edit.axis === index)
          .reduce((grown, edit) => {
            const indices = growthIndices(edit.layout, plan.from, plan.to - plan.from);
            return Int32Array.from(indices, (old) => (old < 0 ? step : (grown[old] as number)));
          }, axis),
      ),
    );
  }
  return { slots, births };
}
