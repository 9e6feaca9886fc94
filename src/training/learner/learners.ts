import { defaultUpdate } from "#runtime";
import type { Program } from "../graphs/program.ts";
import type { TrainerSettings } from "../settings/options.ts";
import { GraphLearner } from "./graph-learner.ts";
import { KernelLearner } from "./kernel-learner.ts";
import type { Learner } from "./learner.ts";

/** The learner that the settings ask for; an optimizer without a kernel update runs in the graph. */
export function createLearner(program: Program, settings: TrainerSettings): Promise<Learner> {
  const { update = defaultUpdate, optimizer } = settings;
  return update === "kernel" && optimizer.kernel !== undefined
    ? KernelLearner.create(program, settings, optimizer.kernel)
    : GraphLearner.create(program, settings);
}
