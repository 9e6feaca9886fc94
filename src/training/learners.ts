import { defaultUpdate } from "#runtime";
import { GraphLearner } from "./graph-learner.ts";
import { KernelLearner } from "./kernel-learner.ts";
import type { Learner } from "./learner.ts";
import type { TrainerSettings } from "./options.ts";
import type { Program } from "./program.ts";

/** The learner that the settings ask for. */
export function createLearner(program: Program, settings: TrainerSettings): Promise<Learner> {
  const { optimizer, clipping, session, update = defaultUpdate } = settings;
  const make = update === "kernel" ? KernelLearner.create : GraphLearner.create;
  return make(program, optimizer, clipping, session);
}
