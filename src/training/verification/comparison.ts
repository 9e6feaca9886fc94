import { type Feeds, Session, type SessionOptions, type SessionSettings } from "../../engine/session.ts";
import { encodeModel } from "../../formats/onnx/index.ts";
import type { Dim } from "../../graph/dim.ts";
import type { Model } from "../../graph/model.ts";
import { compareOutputs, isPreserved, type LocatedDifference } from "../../growth/examine/compare.ts";
import type { Expectation } from "../../growth/examine/output-limits.ts";
import { findWidths } from "../../growth/find/widths.ts";
import { fitShape } from "../../models/fit-shape.ts";
import { weightsApart } from "../../models/weights-apart.ts";
import { inferTypes } from "../../ops/infer.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { Random } from "../../tensor/random.ts";
import { makeTensor, type Tensor } from "../../tensor/tensor.ts";
import { exactByRule, type WithWidths } from "./by-rule.ts";
import { type InputSet, RefusedInputs } from "./input-sets.ts";
import { NewUnitWatch, type WokenUnits } from "./new-unit-watch.ts";
import { Noise } from "./noise.ts";
import { coarsestRoundoff, outputRanges } from "./output-ranges.ts";
import { RoundingBounds } from "./rounding-bounds.ts";

interface Runnable {
  readonly session: Session;
  readonly weights: Feeds;
}

/** Both models, ready to run, and what limits how far rounding may move their outputs apart. */
export class OutputComparison {
  readonly #after: Model;
  readonly #names: readonly string[];
  readonly #models: readonly [Runnable, Runnable];
  readonly #bounds: readonly [RoundingBounds, RoundingBounds];
  readonly #noises: readonly [Noise, Noise];
  readonly #watch: NewUnitWatch;
  readonly #expectations: ReadonlyMap<string, Expectation>;
  /** By output, the axes that are longer after than before. */
  readonly #gained: ReadonlyMap<string, readonly number[]>;
  /** See {@link Verification.byRule}. */
  readonly byRule: string;

  private constructor(
    pair: readonly [WithWidths, WithWidths],
    names: readonly string[],
    models: readonly [Runnable, Runnable],
    watch: NewUnitWatch,
    settings: SessionSettings,
  ) {
    const [{ model: before }, { model: after }] = pair;
    this.#after = after;
    this.#names = names;
    this.byRule = exactByRule(...pair);
    this.#models = models;
    this.#watch = watch;
    this.#bounds = [new RoundingBounds(before, names, settings), new RoundingBounds(after, names, settings)];
    this.#noises = [new Noise(before, settings), new Noise(after, settings)];
    this.#gained = gainedAxes(before, after, names);
    const ranges = outputRanges(before.graph);
    const roundoff = coarsestRoundoff(before.graph);
    this.#expectations = new Map(
      names.map((name) => {
        const own = roundoff === undefined ? {} : { roundoff };
        return [name, { range: ranges.get(name), proven: this.byRule !== "", ...own }];
      }),
    );
  }

  static async of(
    first: Model,
    second: Model,
    names: readonly string[],
    options: SessionOptions,
  ): Promise<OutputComparison> {
    const pair = withWidths(first, second);
    // Two models and the magnitudes of their weights leave no room for more.
    const settings: SessionSettings = { ...options, keepsMemory: false };
    const opened = async (model: Model): Promise<Runnable> => {
      const apart = weightsApart(model);
      return { session: await Session.create(encodeModel(apart.model), settings), weights: apart.weights };
    };
    const [before, after] = pair;
    const models = [await opened(before.model), await opened(after.model)] as const;
    const watch = await NewUnitWatch.of(before, after, settings);
    return new OutputComparison(pair, names, models, watch, settings);
  }

  get withoutBound(): string {
    return this.#bounds.map(({ unavailable }) => unavailable).find((reason) => reason !== "") ?? "";
  }

  get newUnits(): readonly WokenUnits[] {
    return this.#watch.told;
  }

  /** The outputs of the first model. Throws {@link RefusedInputs} if it does not accept the inputs. */
  async before(feeds: Feeds): Promise<InputSet["expected"]> {
    return run(this.#models[0], feeds, this.#names).catch((error: unknown) => {
      throw error instanceof EspalierError && error.code === "ENGINE" ? new RefusedInputs(error) : error;
    });
  }

  async compare(
    { feeds, expected }: InputSet,
    seed: number,
  ): Promise<ReadonlyMap<string, LocatedDifference>> {
    const wide = widened(feeds, this.#after, seed);
    const raw = await run(this.#models[1], wide, this.#names);
    await this.#watch.see(wide);
    const fitted = (tensor: Tensor, name: string) => this.#asBefore(tensor, expected[name] as Tensor, name);
    const actual = (name: string) => fitted(raw[name] as Tensor, name);
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
    // Only now is it worth measuring how much rounding alone moves the models.
    const own = await this.#noises[0].run(feeds, expected);
    const theirs = await this.#noises[1].run(wide, raw);
    const noise = (name: string) => {
      const { dims } = raw[name] as Tensor;
      const their = fitted(makeTensor("float64", dims, theirs.get(name) as Float64Array), name);
      return (own.get(name) as Float64Array).map((one, at) => Math.max(one, their.data[at] as number));
    };
    return judge((name) => ({ ...expectation(name), noise: noise(name) }), errors);
  }

  /** Cut to what the first model has: only the classes that an output has gained are removed. */
  #asBefore(tensor: Tensor, { dims }: Tensor, name: string): Tensor {
    const gained = this.#gained.get(name) ?? [];
    return fitShape(
      tensor,
      tensor.dims.map((size, axis) => (gained.includes(axis) ? (dims[axis] ?? size) : size)),
    );
  }

  async release(): Promise<void> {
    const sessions = this.#models.map(({ session }) => session);
    const all = [...sessions, ...this.#bounds, ...this.#noises, this.#watch];
    await Promise.all(all.map((one) => one.release()));
  }
}

function gainedAxes(before: Model, after: Model, names: readonly string[]) {
  const [old, now] = [inferTypes(before.graph), inferTypes(after.graph)];
  return new Map(
    names.map((name) => {
      const shape = old.get(name)?.shape ?? [];
      const isLonger = (size: Dim, axis: number) =>
        typeof size === "number" && typeof shape[axis] === "number" && size > shape[axis];
      return [
        name,
        (now.get(name)?.shape ?? []).flatMap((size, axis) => (isLonger(size, axis) ? [axis] : [])),
      ];
    }),
  );
}

function run({ session, weights }: Runnable, feeds: Feeds, names: readonly string[]) {
  return session.run({ ...feeds, ...weights }, Object.fromEntries(names.map((name) => [name, null])));
}

/** The mean of two bounds for each output: two runs differ by at most twice that. */
function meanBounds(
  before: Readonly<Record<string, Tensor>>,
  after: Readonly<Record<string, Tensor>>,
  expected: InputSet["expected"],
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

/** Inputs for a model that takes more features than the feeds were made for. */
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

/** Both models with their widths, which are not searched for if all parameters have the same sizes. */
function withWidths(before: Model, after: Model): readonly [WithWidths, WithWidths] {
  const sizes = ({ graph }: Model) =>
    [...graph.parameters].map(([name, { dims }]) => `${name} ${dims}`).join();
  const resized = sizes(before) !== sizes(after);
  const found = (model: Model) => ({ model, widths: resized ? findWidths(model) : [] });
  return [found(before), found(after)];
}
