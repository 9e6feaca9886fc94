import type { Feeds, Session } from "../../engine/session.ts";
import type { Dim } from "../../graph/dim.ts";
import type { Model } from "../../graph/model.ts";
import { findWidths, widthOf } from "../../growth/find/widths.ts";
import type { Width } from "../../growth/plan/width.ts";
import { compile } from "../../models/compile.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import type { Batch } from "../graphs/batch.ts";
import { batchFlops, countFlops } from "../graphs/flops.ts";
import { type Program, writeProgram } from "../graphs/program.ts";
import { feedSizes } from "../graphs/program-inputs.ts";
import type { TrainerSettings } from "../settings/options.ts";
import { type TaskOptions, taskOf } from "../settings/task-options.ts";
import type { Sample } from "./sample.ts";

/** A kind of measurement of a width: values written after the loss of a program. */
export interface Measured {
  /** The name of this kind of measurement. */
  readonly kind: string;
  /** See {@link ProgramOptions.open}. */
  readonly open?: boolean;
  /** Writes values after the loss and returns what to ask for, by the caller's own names. */
  readonly write: (program: Program, width: Width) => ReadonlyMap<string, Asked>;
}

/** A value of the graph for a batch, and whether it is a mean over the batch's examples or a sum. */
export interface Asked {
  readonly value: string;
  readonly over: "mean" | "sum";
}

/** A measurement of one width, compiled; open widths keep it over growths. */
export interface Measurement {
  readonly program: Program;
  readonly session: Session;
  /** Names in the graph of what was asked for. */
  readonly outputs: ReadonlyMap<string, Asked>;
  readonly flops: Dim;
  readonly widths: readonly Width[];
}

/** Compiles a measurement of a width of `model`. */
export async function compileMeasurement(
  model: Model,
  width: string,
  measured: Measured,
  settings: TaskOptions & Pick<TrainerSettings, "session">,
): Promise<Measurement> {
  const { session } = settings;
  const widths = findWidths(model);
  const program = writeProgram({
    model,
    widths,
    ...taskOf(settings),
    training: false,
    open: measured.open ?? false,
    factors: true,
  });
  const outputs = measured.write(program, widthOf(widths, width));
  const { graph } = program;
  return {
    program,
    widths,
    outputs,
    session: await compile(
      graph,
      [...outputs.values()].map(({ value }) => value),
      session,
    ),
    flops: countFlops(graph),
  };
}

/** Means of a measurement's values over the examples of a sample. */
export async function runMeasurement(
  { program, session, outputs, flops, widths }: Measurement,
  variables: Feeds,
  sample: Sample,
  sizes: ReadonlyMap<string, number>,
): Promise<{ readonly means: ReadonlyMap<string, Mean>; readonly flops: number }> {
  const means = new Map<string, Mean>();
  const asked = Object.fromEntries([...outputs.values()].map(({ value }) => [value, null]));
  const resized = widths.map((width) => ({ ...width, size: sizes.get(width.id) ?? width.size }));
  const weights = weightsOf(program, sample);
  let spent = 0;
  let counted = 0;
  for (const batch of sample.batches(program)) {
    const { feeds, size } = batch;
    const { held, factors } = weights(batch);
    counted += held;
    const results = await session.run({ ...variables, ...feeds, ...factors }, asked);
    for (const [name, { value, over }] of outputs) {
      // A batch in which nothing counts has no mean.
      if (over === "mean" && held === 0) continue;
      const weight = (over === "mean" ? held : 1) / sample.count;
      const { dims, data } = results[value] as Tensor<"float32">;
      const mean = means.get(name) ?? { dims, data: new Float64Array(data.length) };
      for (let index = 0; index < data.length; index++) {
        mean.data[index] = (mean.data[index] as number) + weight * (data[index] as number);
      }
      means.set(name, mean);
    }
    spent += batchFlops({ program, flops, widths: resized, sizes: feedSizes(program, feeds) }, size);
  }
  if (counted !== sample.count) {
    for (const [name, { over }] of outputs) {
      const data = over === "mean" ? means.get(name)?.data : undefined;
      data?.forEach((value, index) => {
        data[index] = (value * sample.count) / counted;
      });
    }
  }
  return { means, flops: spent };
}

/** The weight of a batch in a mean, and factors of its terms. */
interface BatchWeight {
  readonly held: number;
  readonly factors: Feeds;
}

/**
 * How batches are weighed: by what counts in them for a single loss. What counts may differ from term to term: then batches are
 * weighed by their examples, and each term by a factor that makes up for it.
 */
function weightsOf(program: Program, sample: Sample): (batch: Batch) => BatchWeight {
  const { terms } = program;
  const [only, ...more] = terms;
  if (more.length === 0) return (batch) => ({ held: only.counted(batch), factors: {} });
  const totals = terms.map(() => 0);
  for (const batch of sample.batches(program)) {
    terms.forEach(({ counted }, at) => {
      totals[at] = (totals[at] as number) + counted(batch);
    });
  }
  return (batch) => ({
    held: batch.size,
    factors: Object.fromEntries(
      terms.map(({ counted, factor = "" }, at) => {
        const share = (counted(batch) * sample.count) / (batch.size * (totals[at] as number));
        return [factor, float32([], [Number.isFinite(share) ? share : 0])];
      }),
    ),
  });
}

/** A mean over examples, in double precision. */
export interface Mean {
  readonly dims: readonly number[];
  readonly data: Float64Array<ArrayBuffer>;
}
