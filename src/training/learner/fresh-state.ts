import type { Model } from "../../graph/model.ts";
import { type Tensor, zeros } from "../../tensor/tensor.ts";
import type { Program } from "../graphs/program.ts";
import { bornFirst } from "../optimizers/ages.ts";
import { slotsOf } from "../optimizers/optimizer.ts";
import type { TrainerSettings } from "../settings/options.ts";
import type { LearnerState } from "./learner.ts";

/** A learner's state before the first update: the model's own variables, moments of zero, everything born at step 0. */
export function freshState(program: Program, model: Model, settings: TrainerSettings): LearnerState {
  const tensorOf = (name: string) => model.graph.parameters.get(name) as Tensor;
  return {
    variables: new Map(program.variables.map((name) => [name, tensorOf(name)])),
    slots: new Map(
      program.trainable.map((name) => [
        name,
        slotsOf(settings.optimizer, tensorOf(name).dims.length).map(() =>
          zeros("float32", tensorOf(name).dims),
        ),
      ]),
    ),
    births: new Map(program.trainable.map((name) => [name, bornFirst(tensorOf(name).dims)])),
    restart: 0,
  };
}
