import type { Dataset } from "../../data/dataset.ts";
import type { Feeds } from "../../engine/session.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { Batcher } from "../graphs/batch.ts";
import type { Program } from "../graphs/program.ts";
import { batchNames } from "../graphs/program-inputs.ts";
import { SampleInputs } from "../verification/sample-inputs.ts";
import type { Compilation } from "./compilation.ts";
import { zeroTargets } from "./zero-targets.ts";

/** Lengths to try for named axes, such as a sequence's: a model may accept only certain ones. */
const lengths = [7, 4, 16, 32, 1];

/** A seeded batch of sampled inputs and zero targets, for a trainer that has seen no data yet. */
export function syntheticBatch(
  program: Pick<Program, "source" | "inputs" | "targets">,
  size: number,
  seed: number,
  length = lengths[0] as number,
): Feeds {
  const samples = new SampleInputs(program.source);
  const batch = new Set(batchNames(program));
  const sizes = Object.fromEntries(samples.symbols.map((name) => [name, batch.has(name) ? size : length]));
  const made = samples.make(sizes, seed);
  const inputs = Object.fromEntries(program.inputs.map(({ name }) => [name, made[name] as Feeds[string]]));
  return { ...zeroTargets(program, inputs), ...inputs };
}

/** The first synthetic batch that `run` accepts. If it accepts none, throws what it threw for the last one. */
export async function workingBatch(
  program: Pick<Program, "source" | "inputs" | "targets">,
  { batchSize, seed }: { readonly batchSize: number; readonly seed: number },
  run: (batch: Feeds) => Promise<unknown>,
): Promise<Feeds> {
  const names = new Set(
    program.inputs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === "string")),
  );
  for (const length of names.size > batchNames(program).length ? lengths : []) {
    const batch = syntheticBatch(program, batchSize, seed, length);
    const works = await run(batch).then(
      () => true,
      () => false,
    );
    if (works) return batch;
  }
  return syntheticBatch(program, batchSize, seed);
}

/** The first synthetic batch that a compiled model accepts in evaluation. */
export function firstWorkingBatch(
  { program, evaluator, learner }: Pick<Compilation, "program" | "evaluator" | "learner">,
  settings: { readonly batchSize: number; readonly seed: number },
): Promise<Feeds> {
  return workingBatch(program, settings, (batch) => evaluator.forward(learner.variables, batch));
}

/** What a trainer predicts of: a tensor of the only input's shape, rows of numbers for it, or the inputs by name. */
export type Given = Tensor | readonly (readonly number[])[] | Feeds;

/** Inputs by name, from a caller's tensor for the only input or tensors for all of them. */
export function feedsOf({ inputs }: Pick<Program, "inputs">, given: Given): Feeds {
  const name = inputs[0]?.name ?? "";
  if (Array.isArray(given)) return { [name]: float32([given.length, given[0]?.length ?? 0], given.flat()) };
  return isTensor(given) ? { [name]: given } : (given as Feeds);
}

function isTensor(given: unknown): given is Tensor {
  return typeof given === "object" && given !== null && Array.isArray((given as Tensor).dims);
}

/** The first `size` examples of a data set. */
export function headOf(program: Program, data: Dataset, size: number): Feeds {
  const order = Uint32Array.from({ length: data.count }, (_, index) => index);
  return new Batcher(program, data).take(order, 0, Math.min(size, data.count)).feeds;
}
