import { defaultUpdate } from "#runtime";
import type { Program } from "../graphs/program.ts";
import type { TrainerSettings } from "../settings/options.ts";
import { GraphLearner } from "./graph-learner.ts";
import { KernelLearner } from "./kernel-learner.ts";
import type { Learner } from "./learner.ts";

/** The learner that the settings ask for. */
export function createLearner(program: Program, settings: TrainerSettings): Promise<Learner> {
  const { update = defaultUpdate } = settings;
  return update === "kernel"
    ? KernelLearner.create(program, settings)
    : GraphLearner.create(program, settings);
}
