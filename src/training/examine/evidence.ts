import type { Feeds } from "../../engine/session.ts";
import {
  type DiagnosisOptions,
  diagnoseWidth,
  type Evidence,
  type WidthDiagnosis,
} from "../../growth/examine/diagnose.ts";
import type { OptionNames } from "../../tensor/known-options.ts";
import type { Compilation } from "../compilation/compilation.ts";

export interface DiagnoseOptions extends DiagnosisOptions {
  /** Number of examples used, starting with the first. Default 256. */
  readonly batchSize?: number;
}

/** Their names, for callers in JavaScript. */
export const diagnoseNames: OptionNames<DiagnoseOptions> = { threshold: true, batchSize: true };

/** A forward pass over one batch, and a backward pass with the dropout masks of training. */
export async function gatherEvidence(
  { learner, evaluator }: Pick<Compilation, "learner" | "evaluator">,
  batch: Feeds,
  masked: Feeds,
): Promise<Evidence> {
  return {
    parameters: new Map(Object.entries(learner.variables)),
    gradients: (await learner.gradients(masked)).gradients,
    activations: await evaluator.activations(learner.variables, batch),
  };
}

/** The diagnosis of every width that can grow, by the same passes. */
export async function diagnoseWidths(
  compiled: Pick<Compilation, "learner" | "evaluator" | "widths">,
  batch: Feeds,
  masked: Feeds,
  options: DiagnosisOptions,
): Promise<readonly WidthDiagnosis[]> {
  const evidence = await gatherEvidence(compiled, batch, masked);
  const growable = compiled.widths.filter((width) => width.growable);
  return growable.map((width) => diagnoseWidth(width, evidence, options));
}
