import type { Model } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { ComparedData } from "../../training/verification/input-sets.ts";
import type { GivenValues, Sizes } from "../../training/verification/sample-inputs.ts";
import { type Verification, verifyModels } from "../../training/verification/verify.ts";

export interface CheckOptions {
  readonly seed: number;
  readonly sizes: readonly Sizes[];
  readonly given: GivenValues;
  /** Additional inputs to compare on. */
  readonly data: readonly ComparedData[];
}

/** Runs both models on seeded inputs before the second is written. Throws what running them throws, with a remedy. */
export async function checkModel(
  before: Model,
  after: Model,
  { sizes, ...options }: CheckOptions,
): Promise<Verification> {
  try {
    return await verifyModels(before, after, { ...options, ...(sizes.length === 0 ? {} : { sizes }) });
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error;
    const { code, thing, rule, received, cause } = error;
    const hint = code === "ENGINE" ? "Give --sizes, or values with --feed, that the model accepts. " : "";
    throw new EspalierError(code, {
      thing: `checking ${thing}`,
      rule,
      received,
      cause,
      remedy: `${hint}Nothing was written; --no-verify writes it without a check.`,
    });
  }
}
