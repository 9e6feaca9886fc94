import type { SessionOptions } from "../../engine/session.ts";
import type { Model } from "../../graph/model.ts";
import { isPreserved, type OutputDifference } from "../../growth/examine/compare.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { checkOptionNames, type OptionNames } from "../../tensor/known-options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { OutputComparison } from "./comparison.ts";
import { Coverage, type OutputCoverage, outputsOfInputs } from "./coverage.ts";
import { type ComparedData, trials } from "./input-sets.ts";
import { isUnseen, type WokenUnits } from "./new-unit-watch.ts";
import { type GivenValues, SampleInputs, type Sizes } from "./sample-inputs.ts";

export interface VerifyOptions extends SessionOptions {
  /** Seed of the inputs that are drawn. Default 0. */
  readonly seed?: number;
  /** Sizes of the symbolic axes to try; default several sets of small ones, or larger ones if the model accepts none of them. */
  readonly sizes?: readonly Sizes[];
  /** Values for inputs that are not to be drawn, by name. */
  readonly given?: GivenValues;
  /** Batches to compare on in addition to drawn inputs. */
  readonly data?: readonly ComparedData[];
  /** Whether to stop at the first inputs that show a difference. Default: all are run, and the largest is reported. */
  readonly untilDifferent?: boolean;
}

const verifyNames: OptionNames<VerifyOptions> = {
  seed: true,
  sizes: true,
  given: true,
  data: true,
  threads: true,
  optimization: true,
  providers: true,
  untilDifferent: true,
};

/** How far one output moved on one set of inputs. */
export interface OutputCheck extends OutputDifference {
  readonly output: string;
  readonly sizes: Sizes;
  /** Where the inputs come from, such as "N(0, 1)". */
  readonly inputs: string;
}

/** The verdict on two models. */
export type Outcome = "same" | "different" | "nothing compared";

/** Whether two models compute the same function, on sampled inputs. */
export interface Verification {
  /** "nothing compared" if they do not differ, but some output, or new units that might matter, showed nothing. */
  readonly outcome: Outcome;
  /** Whether the outcome is "same". */
  readonly preserved: boolean;
  /** Largest over all outputs and inputs. */
  readonly maximum: number;
  readonly relative: number;
  readonly identical: boolean;
  readonly checks: readonly OutputCheck[];
  /** How much was compared of each output. */
  readonly outputs: readonly OutputCoverage[];
  /** The new units of widths that are larger after than before. All may be zero if a rule says that they contribute nothing. */
  readonly newUnits: readonly WokenUnits[];
  /** Why they compute the same for all inputs, if rules prove it; else empty: it was only observed on samples. */
  readonly byRule: string;
  /** Why no rounding bound could be computed; empty if there is one. */
  readonly withoutBound: string;
}

/**
 * Runs both models on the same seeded inputs and compares every output, entry by entry.
 * Inputs come from several domains and sizes. If an input has grown, its new features are random; if an output has grown,
 * only the part that the old model has is compared. Throws `SHAPE_MISMATCH` if inputs or outputs are not the same ones,
 * `ENGINE` if ONNX Runtime cannot run them.
 */
export async function verifyModels(
  before: Model,
  after: Model,
  options: VerifyOptions = {},
): Promise<Verification> {
  checkOptionNames("verify", options, verifyNames);
  const names = comparableOutputs(before, after);
  const { seed = 0, data = [], sizes, given, untilDifferent = false } = options;
  const comparison = await OutputComparison.of(before, after, names, options);
  const free = outputsOfInputs(before.graph);
  const coverage = new Map(names.map((name) => [name, new Coverage(name, free.has(name))]));
  const checks: OutputCheck[] = [];
  try {
    const samples = new SampleInputs(before, given, after);
    const all = trials({ samples, seed, sizes, data }, (feeds) => comparison.before(feeds));
    for await (const trial of all) {
      const differences = await comparison.compare(trial, seed);
      for (const [name, difference] of differences) {
        coverage.get(name)?.see(trial.inputs, trial.expected[name] as Tensor, difference);
        const { at: _, ...told } = difference;
        checks.push({ output: name, sizes: trial.sizes, inputs: trial.inputs, ...told });
      }
      if (untilDifferent && !checks.every(isPreserved)) break;
    }
    const outputs = [...coverage.values()].map(({ told }) => told);
    const { byRule, withoutBound, newUnits } = comparison;
    return {
      ...summary(checks, outputs, byRule === "" ? newUnits : []),
      checks,
      outputs,
      newUnits,
      byRule,
      withoutBound,
    };
  } finally {
    await comparison.release();
  }
}

function summary(
  checks: readonly OutputCheck[],
  outputs: readonly OutputCoverage[],
  newUnits: readonly WokenUnits[],
): Pick<Verification, "outcome" | "preserved" | "maximum" | "relative" | "identical"> {
  const most = (of: (one: OutputCheck) => number) =>
    checks.reduce((largest, one) => Math.max(largest, of(one)), 0);
  const seen = outputs.every(({ compared }) => compared) && !newUnits.some(isUnseen);
  const outcome = !checks.every(isPreserved) ? "different" : seen ? "same" : "nothing compared";
  return {
    outcome,
    preserved: outcome === "same",
    maximum: most((one) => one.maximum),
    relative: most((one) => one.relative),
    identical: checks.every((one) => one.identical),
  };
}

/** The outputs that both models have. */
function comparableOutputs(before: Model, after: Model): readonly string[] {
  const list = (values: Model["graph"]["inputs"]) =>
    values
      .map(({ name }) => name)
      .sort()
      .join(", ");
  for (const [side, a, b] of [
    ["inputs", before.graph.inputs, after.graph.inputs],
    ["outputs", before.graph.outputs, after.graph.outputs],
  ] as const) {
    if (list(a) === list(b)) continue;
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: "the two models",
      rule: `must have the same ${side} to be compared`,
      received: { before: list(a), after: list(b) },
    });
  }
  return before.graph.outputs.map(({ name }) => name);
}
