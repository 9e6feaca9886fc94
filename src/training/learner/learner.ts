import type { Feeds } from "../../engine/session.ts";
import type { Dim } from "../../graph/dim.ts";
import { growthIndices } from "../../graph/layout.ts";
import { editsOf, type Insert, insertZeros } from "../../growth/grow/apply.ts";
import type { GrowthPlan } from "../../growth/plan/plan.ts";
import type { WidthPart } from "../../growth/plan/width.ts";
import type { Insertion } from "../../tensor/insert.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Births } from "../optimizers/ages.ts";

/** Everything that a training step changes, as plain data. */
export interface LearnerState {
  /** Trained parameters, running statistics and whatever can grow, by name. */
  readonly variables: ReadonlyMap<string, Tensor>;
  /** Optimizer state of each trained parameter, in the order of the optimizer's slots. */
  readonly slots: ReadonlyMap<string, readonly Tensor[]>;
  /** When each entry of each trained parameter was born. */
  readonly births: ReadonlyMap<string, Births>;
  /**
   * Updates done when the moments of all entries last started over: 0, or those before the last divergence. Separate from
   * births, because a restart makes no entry new: an entry's age in the optimizer counts from the later of the two.
   */
  readonly restart: number;
}

/** A growth as the learner sees it. */
export interface LearnerGrowth {
  readonly plan: GrowthPlan;
  /** Updates done: when the new entries are born. */
  readonly step: number;
  /** Maps the variables before the growth to those after it; `insert` puts zeros into them. */
  readonly apply: (variables: Feeds, insert: Insert) => ReadonlyMap<string, Tensor>;
}

/** A growth that can still be undone. One of the two must be called before the next step, load or growth. */
export interface Tentative {
  readonly keep: () => void;
  readonly undo: () => void;
}

/** Runs training steps on a state that it keeps wherever the engine works fastest. */
export interface Learner {
  /**
   * Runs step `step` (counted from 0) and returns the loss before its update. If the loss is not finite, the
   * parameters return to those of the last finite loss, and the optimizer's state starts over at age 0 (`restart`).
   */
  step(feeds: Feeds, step: number): Promise<number>;
  /** The gradients of the trained parameters on a batch; changes nothing. Valid until the next step, load or call. */
  gradients(
    feeds: Feeds,
  ): Promise<{ readonly loss: number; readonly gradients: ReadonlyMap<string, Tensor> }>;
  /** FLOPs of a forward and backward pass, in "batch" and the open widths: what a step costs except for the update. */
  readonly flops: Dim;
  /** The variables as feeds for other graphs, without copying; valid until the next step or load. */
  readonly variables: Feeds;
  /** A copy of the state. */
  state(): LearnerState;
  /** Replaces the state; shapes may differ from before. */
  load(state: LearnerState): void;
  /** Grows the state, moments by zeros. If `apply` throws, this throws the same and nothing has changed. */
  grow(growth: LearnerGrowth): Tentative;
  release(): Promise<void>;
}

/** A state as a growth leaves it: grown variables, zeros for new moments, births now. */
export function growState(
  { slots, births, restart }: LearnerState,
  { plan, step }: Pick<LearnerGrowth, "plan" | "step">,
  variables: ReadonlyMap<string, Tensor>,
): LearnerState {
  const grow = (tensor: Tensor, name: string) =>
    editsOf(plan, name).reduce((old, edit) => insertZeros(old, edit, plan), tensor);
  return {
    variables,
    slots: new Map([...slots].map(([name, moments]) => [name, moments.map((one) => grow(one, name))])),
    births: new Map([...births].map(([name, axes]) => [name, growBirths(axes, name, { plan, step })])),
    restart,
  };
}

/** The births of a parameter after a growth: new entries are born now, after `step` updates. */
export function growBirths(
  births: Births,
  parameter: string,
  { plan, step }: Pick<LearnerGrowth, "plan" | "step">,
): Births {
  return insertionsOf(plan, parameter).reduce(
    (axes, { axis, indices }) =>
      axes.map((born, index) =>
        index === axis ? indices.map((old) => (old < 0 ? step : (born[old] as number))) : born,
      ),
    births,
  );
}

/** What a growth inserts into a parameter, one axis after another. */
export function insertionsOf(plan: GrowthPlan, parameter: string): readonly Insertion[] {
  return editsOf(plan, parameter).map((edit) => insertionOf(plan, edit));
}

/** What one edit of a growth inserts. */
export function insertionOf({ from, to }: GrowthPlan, { axis, layout }: WidthPart): Insertion {
  return { axis, indices: growthIndices(layout, from, to - from) };
}
