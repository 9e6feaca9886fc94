import type { Feeds } from "../../engine/session.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { Domain } from "./domains.ts";
import type { SampleInputs, Sizes } from "./sample-inputs.ts";
import { sizesToTry } from "./sizes.ts";

/** One set of inputs and the first model's outputs for them. */
export interface InputSet {
  readonly sizes: Sizes;
  /** The inputs' origin: the domain that they are drawn from, or data. */
  readonly inputs: string;
  readonly feeds: Feeds;
  readonly expected: Readonly<Record<string, Tensor>>;
}

/** Batches of data that the models are compared on in addition to drawn inputs. */
export interface ComparedData {
  readonly name: string;
  readonly batches: readonly Feeds[];
}

export interface InputSetOptions {
  readonly samples: SampleInputs;
  readonly seed: number;
  /** Default: some small sizes that the model accepts, or larger ones if it accepts none of them. */
  readonly sizes: readonly Sizes[] | undefined;
  readonly data: readonly ComparedData[];
}

/** Domains that are tried before the model is assumed not to accept some sizes. */
const attempts = 4;

/** If at most this many domains give numbers, they are drawn from twice. */
const few = 2;

/** If all inputs together have more entries than this, only the first domains are tried, and only one with further sizes. */
const many = 300_000;

/**
 * Inputs that a model accepts: one set of sizes with every domain, the others with two domains each. `run` runs the model;
 * sizes and domains for which it throws are left out, unless the caller asked for those sizes. If none works, throws what
 * the last one threw.
 */
export async function* trials(
  { samples, seed, sizes, data }: InputSetOptions,
  run: (feeds: Feeds) => Promise<InputSet["expected"]>,
): AsyncGenerator<InputSet> {
  const { domains } = samples;
  let failure: unknown;
  let whole = false;
  let sets = 0;
  /** The domains that gave a number anywhere. */
  const telling = new Set<Domain>();

  async function* withSizes(own: Sizes, tried: readonly Domain[], draws: number): AsyncGenerator<InputSet> {
    let worked = 0;
    for (const [index, domain] of tried.entries()) {
      if (worked === 0 && index >= attempts) return;
      const feeds = samples.make(own, draws, domain);
      if (index >= (whole ? 1 : attempts) && entriesOf(feeds) > many) return;
      try {
        const expected = await run(feeds);
        worked++;
        if (Object.values(expected).some(hasNumbers)) telling.add(domain);
        yield { sizes: own, inputs: domain.name, feeds, expected };
      } catch (error) {
        if (!isRefusal(error)) throw error;
        failure = error.cause;
      }
    }
  }

  /** Domains for further sizes: the first of the telling ones, and one of the others in turn. */
  function further(): readonly Domain[] {
    const [first, ...others] = telling.size > 0 ? domains.filter((one) => telling.has(one)) : domains;
    const rotated = others[sets % Math.max(1, others.length)];
    return [first, rotated].filter((one) => one !== undefined);
  }

  /** Yields the trials of some sizes; returns whether there were any. */
  async function* all(own: Sizes): AsyncGenerator<InputSet, boolean> {
    let any = false;
    for await (const trial of withSizes(own, whole ? further() : domains, seed)) {
      any = true;
      yield trial;
    }
    // A place seen only once may or may not vary.
    if (!whole && telling.size <= few) yield* withSizes(own, [...telling], seed + 1);
    if (any) {
      whole = true;
      sets++;
    }
    return any;
  }

  const tries = sizes === undefined ? sizesToTry(samples) : { small: sizes, large: [] };
  for (const own of tries.small) {
    const worked = yield* all(own);
    if (!worked && sizes !== undefined) throw failure;
  }
  for (const own of whole ? [] : tries.large) if (yield* all(own)) break;
  for (const { name, batches } of data) {
    for (const feeds of batches) {
      yield { sizes: {}, inputs: name, feeds, expected: await unwrapped(run(feeds)) };
    }
  }
  if (!whole && data.length === 0) throw failure;
}

/** What `run` throws if the model does not accept these inputs. */
export class RefusedInputs extends Error {
  constructor(cause: unknown) {
    super("the model does not take these inputs", { cause });
  }
}

function isRefusal(error: unknown): error is RefusedInputs {
  return error instanceof RefusedInputs;
}

function hasNumbers({ dtype, data }: Tensor): boolean {
  return !isFloat(dtype) || dtype === "float16" || (data as Float32Array).some(Number.isFinite);
}

async function unwrapped<T>(promise: Promise<T>): Promise<T> {
  return promise.catch((error: unknown) => {
    throw isRefusal(error) ? error.cause : error;
  });
}

function entriesOf(feeds: Feeds): number {
  return Object.values(feeds).reduce((sum, { dims }) => sum + sizeOf(dims), 0);
}
