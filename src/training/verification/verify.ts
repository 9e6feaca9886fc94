import { type Feeds, Session, type SessionOptions } from "../../engine/session.ts";
import { encodeModel } from "../../formats/onnx/index.ts";
import type { Model } from "../../graph/model.ts";
import { compareOutputs, isPreserved, type OutputDifference } from "../../growth/examine/compare.ts";
import type { Expectation } from "../../growth/examine/output-limits.ts";
import { fitShape } from "../../models/fit-shape.ts";
import { weightsApart } from "../../models/weights-apart.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { Random } from "../../tensor/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { exactByRule } from "./by-rule.ts";
import { Coverage, type OutputCoverage, outputsOfInputs } from "./coverage.ts";
import { isUnseen, NewUnitWatch, type WokenUnits } from "./new-unit-watch.ts";
import { Noise } from "./noise.ts";
import { coarsestRoundoff, outputRanges } from "./output-ranges.ts";
import { RoundingBounds } from "./rounding-bounds.ts";
import { type GivenValues, SampleInputs, type Sizes } from "./sample-inputs.ts";
import { type ComparedData, Refusal, type Trial, trials } from "./trials.ts";

export interface VerifyOptions extends SessionOptions {
  /** Of the inputs that are drawn. Default 0. */
  readonly seed?: number;
  /** Sizes of the symbolic axes to try; default several sets of small ones, larger ones where the model takes none. */
  readonly sizes?: readonly Sizes[];
  /** Values for inputs that are not to be drawn, by name. */
  readonly given?: GivenValues;
  /** Batches to compare on beside what is drawn. */
  readonly data?: readonly ComparedData[];
}

/** How far one output moved on one set of inputs. */
export interface OutputCheck extends OutputDifference {
  readonly output: string;
  readonly sizes: Sizes;
  /** Where the inputs come from, such as "N(0, 1)". */
  readonly inputs: string;
}

/** What two models were found to be. */
export type Outcome = "same" | "different" | "nothing compared";

/** Whether two models compute the same function, on sampled inputs. */
export interface Verification {
  /** "nothing compared" where they do not differ, but some output, or new units that might matter, showed nothing. */
  readonly outcome: Outcome;
  /** Whether the outcome is "same". */
  readonly preserved: boolean;
  /** Largest over all outputs and inputs. */
  readonly maximum: number;
  readonly relative: number;
  readonly identical: boolean;
  readonly checks: readonly OutputCheck[];
  /** How much was seen of each output. */
  readonly outputs: readonly OutputCoverage[];
  /** The new units of widths that are larger after than before. All may sleep where a rule says that they add nothing. */
  readonly newUnits: readonly WokenUnits[];
  /** Why they compute the same whatever the inputs are, where rules tell; else empty: it was seen on samples. */
  readonly byRule: string;
  /** Why no rounding bound could be computed; empty where there is one. */
  readonly withoutBound: string;
}

/**
 * Runs both models on the same seeded inputs and compares every output, entry by entry (see {@link compareOutputs}).
 * Inputs come from several domains and sizes. Where an input or output has grown, new features are random and what the
 * old model has is compared. Throws `SHAPE_MISMATCH` where inputs or outputs are not the same ones, `ENGINE` where ONNX
 * Runtime cannot run them.
 */
export async function verifyModels(
  before: Model,
  after: Model,
  options: VerifyOptions = {},
): Promise<Verification> {
  const names = comparableOutputs(before, after);
  const { seed = 0, data = [], sizes, given } = options;
  const comparison = await Comparison.of(before, after, names, options);
  const free = outputsOfInputs(before.graph);
  const coverage = new Map(names.map((name) => [name, new Coverage(name, free.has(name))]));
  const checks: OutputCheck[] = [];
  try {
    const samples = new SampleInputs(before, given);
    const all = trials({ samples, seed, sizes, data }, (feeds) => comparison.before(feeds));
    for await (const trial of all) {
      const differences = await comparison.compare(trial, seed);
      for (const [name, difference] of differences) {
        coverage.get(name)?.see(trial.inputs, trial.expected[name] as Tensor, difference);
        checks.push({ output: name, sizes: trial.sizes, inputs: trial.inputs, ...difference });
      }
    }
    const outputs = [...coverage.values()].map(({ told }) => told);
    const byRule = exactByRule(before, after);
    const { withoutBound, newUnits } = comparison;
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

interface Runnable {
  readonly session: Session;
  readonly weights: Feeds;
}

/** Both models, ready to run, and what tells how far rounding may take them apart. */
class Comparison {
  readonly #after: Model;
  readonly #names: readonly string[];
  readonly #models: readonly [Runnable, Runnable];
  readonly #bounds: readonly [RoundingBounds, RoundingBounds];
  readonly #noise: Noise;
  readonly #watch: NewUnitWatch;
  readonly #expectations: ReadonlyMap<string, Expectation>;

  private constructor(
    [before, after]: readonly [Model, Model],
    names: readonly string[],
    models: readonly [Runnable, Runnable],
    watch: NewUnitWatch,
    options: SessionOptions,
  ) {
    this.#after = after;
    this.#names = names;
    this.#models = models;
    this.#watch = watch;
    this.#bounds = [new RoundingBounds(before, names, options), new RoundingBounds(after, names, options)];
    this.#noise = new Noise(before, options);
    const ranges = outputRanges(before.graph);
    const roundoff = coarsestRoundoff(before.graph);
    this.#expectations = new Map(
      names.map((name) => {
        const own = roundoff === undefined ? {} : { roundoff };
        return [name, { range: ranges.get(name), ...own }];
      }),
    );
  }

  static async of(before: Model, after: Model, names: readonly string[], options: SessionOptions) {
    const opened = async (model: Model): Promise<Runnable> => {
      const apart = weightsApart(model);
      return { session: await Session.create(encodeModel(apart.model), options), weights: apart.weights };
    };
    const models = [await opened(before), await opened(after)] as const;
    const watch = await NewUnitWatch.of(before, after, options);
    return new Comparison([before, after], names, models, watch, options);
  }

  get withoutBound(): string {
    return this.#bounds.map(({ unavailable }) => unavailable).find((reason) => reason !== "") ?? "";
  }

  get newUnits(): readonly WokenUnits[] {
    return this.#watch.told;
  }

  /** The outputs of the first model. Throws {@link Refusal} where it does not take the inputs. */
  async before(feeds: Feeds): Promise<Trial["expected"]> {
    return run(this.#models[0], feeds, this.#names).catch((error: unknown) => {
      throw error instanceof EspalierError && error.code === "ENGINE" ? new Refusal(error) : error;
    });
  }

  async compare({ feeds, expected }: Trial, seed: number): Promise<ReadonlyMap<string, OutputDifference>> {
    const wide = widened(feeds, this.#after, seed);
    const raw = await run(this.#models[1], wide, this.#names);
    await this.#watch.see(wide);
    const actual = (name: string) => fitShape(raw[name] as Tensor, (expected[name] as Tensor).dims);
    const judge = (expect: (name: string) => Expectation, errors: Readonly<Record<string, Tensor>> = {}) =>
      new Map(
        this.#names.map((name) => [
          name,
          compareOutputs(expected[name] as Tensor, actual(name), errors[name], expect(name)),
        ]),
      );
    const known = (name: string) => this.#expectations.get(name) as Expectation;
    const unbounded = (name: string) => ({ ...known(name), unbounded: true });
    const first = judge(unbounded);
    if ([...first.values()].every(({ identical }) => identical)) return first;
    const [a, b] = [await this.#bounds[0].run(feeds), await this.#bounds[1].run(wide)];
    const errors = a && b && meanBounds(a, b, expected);
    const expectation = errors === undefined ? unbounded : known;
    const second = judge(expectation, errors);
    if ([...second.values()].every(isPreserved)) return second;
    // Only now is it worth finding out how much the model moves by itself.
    const noise = await this.#noise.run(feeds, expected);
    return judge((name) => ({ ...expectation(name), noise: noise.get(name) }), errors);
  }

  async release(): Promise<void> {
    const sessions = this.#models.map(({ session }) => session);
    const all = [...sessions, ...this.#bounds, this.#noise, this.#watch];
    await Promise.all(all.map((one) => one.release()));
  }
}

function run({ session, weights }: Runnable, feeds: Feeds, names: readonly string[]) {
  return session.run({ ...feeds, ...weights }, Object.fromEntries(names.map((name) => [name, null])));
}

/** Of each output, the mean of two bounds: two runs lie apart by no more than twice that. */
function meanBounds(
  before: Readonly<Record<string, Tensor>>,
  after: Readonly<Record<string, Tensor>>,
  expected: Trial["expected"],
): Readonly<Record<string, Tensor>> {
  const names = Object.keys(expected).filter((name) => name in before || name in after);
  return Object.fromEntries(
    names.map((name) => {
      const { dims } = expected[name] as Tensor;
      const parts = [before[name], after[name]].flatMap((bound) =>
        bound === undefined ? [] : fitShape(bound, dims),
      );
      const [first] = parts as [Tensor];
      const data = Float32Array.from(first.data as Float32Array, (_, index) =>
        parts.reduce((sum, part) => sum + ((part.data as Float32Array)[index] ?? 0) / 2, 0),
      );
      return [name, { ...first, data }];
    }),
  );
}

/** Inputs for a model that takes more features than those that the feeds were made for. */
function widened(feeds: Feeds, after: Model, seed: number): Feeds {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => {
      const shape = after.graph.inputs.find((input) => input.name === name)?.shape ?? tensor.dims;
      const dims = tensor.dims.map((size, axis) => {
        const declared = shape[axis];
        return typeof declared === "number" ? declared : size;
      });
      return [name, fitShape(tensor, dims, new Random(seed, `new features of ${name}`))];
    }),
  );
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
