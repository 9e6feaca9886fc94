import type { Feeds } from "../../engine/session.ts";
import { type Model, withParameters } from "../../graph/model.ts";
import { isPreserved, type OutputDifference } from "../../growth/examine/compare.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { Compilation } from "../compilation/compilation.ts";
import { flopsPerExample } from "../graphs/flops.ts";
import type { Program } from "../graphs/program.ts";
import { feedSizes } from "../graphs/program-inputs.ts";
import type { SizeChange } from "../history/record.ts";
import type { TrainerSettings } from "../settings/options.ts";

/** A model in training, and everything whose size changes with it. */
export interface Growing {
  /** The values of trained parameters are the learner's; here, only their shapes count. */
  readonly model: Model;
  readonly compiled: Compilation;
  readonly settings: TrainerSettings;
  /** Updates done. */
  readonly step: number;
}

/** A model of another size, and the record of how it came to be. */
export interface ResizedModel<Record> {
  readonly model: Model;
  readonly compiled: Compilation;
  readonly record: Record;
}

/** A model and compiled state of another size, to be kept or undone. */
export interface Resized {
  readonly model: Model;
  readonly compiled: Compilation;
  readonly keep: () => void | Promise<void>;
  readonly undo: () => void | Promise<void>;
}

/** Measurements before and after a change. */
export interface MeasuredChange {
  readonly plan: { readonly width: string; readonly from: number; readonly to: number };
  readonly batch: Feeds;
  readonly loss: SizeChange["loss"];
  readonly difference: OutputDifference;
  readonly flops: number;
  /** When it began, by `performance.now()`. */
  readonly started: number;
}

/** The part of a record that growth and shrink have in common. */
export function sizeChange(
  { model, compiled, step }: Growing,
  resized: Pick<Resized, "model" | "compiled">,
  { plan, batch, loss, difference, flops, started }: MeasuredChange,
): SizeChange {
  const sizes = feedSizes(compiled.program, batch);
  return {
    width: plan.width,
    step,
    size: { before: plan.from, after: plan.to },
    loss,
    output: {
      maxDifference: difference.maximum,
      roundingBound: difference.bound,
      preserved: isPreserved(difference),
      identical: difference.identical,
    },
    parameters: {
      before: countParameters(compiled.program, model),
      after: countParameters(resized.compiled.program, resized.model),
    },
    flopsPerExample: {
      before: flopsPerExample({ ...compiled, sizes }),
      after: flopsPerExample({ ...resized.compiled, sizes }),
    },
    flops,
    pauseMs: performance.now() - started,
  };
}

export function withVariables(model: Model, variables: Iterable<readonly [string, Tensor]>): Model {
  return withParameters(model, new Map([...model.graph.parameters, ...variables]));
}

/** Entries of the trained parameters. */
export function countParameters(program: Program, model: Model): number {
  return program.trainable.reduce(
    (sum, name) => sum + sizeOf(model.graph.parameters.get(name)?.dims ?? []),
    0,
  );
}
