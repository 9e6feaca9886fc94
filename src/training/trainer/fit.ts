import type { Dataset } from "../../data/dataset.ts";
import { checkOptionNames } from "../../tensor/known-options.ts";
import type { Evaluation } from "../compilation/evaluator.ts";
import type { FitResult, GrowthRecord, StepInfo } from "../history/record.ts";
import type { ControllerDecision } from "../policy/state.ts";
import type { LoopTrainer } from "./loop-trainer.ts";
import { Run } from "./run.ts";
import { type RunOptions, runNames } from "./run-options.ts";

export interface FitOptions extends RunOptions {
  /** Called after every decision about growth, with what has grown. */
  readonly onDecision?: (
    decision: ControllerDecision,
    growths: readonly GrowthRecord[],
  ) => void | Promise<void>;
  /** Called after every step; may be asynchronous. */
  readonly onStep?: (info: StepInfo) => void | Promise<void>;
  /** Called after every validation. */
  readonly onValidation?: (evaluation: Evaluation, info: StepInfo) => void | Promise<void>;
  /** Called every `checkpointEvery` steps: a good moment to save. */
  readonly onCheckpoint?: (step: number) => void | Promise<void>;
}

/** A run with callbacks instead of events. See {@link Trainer.fit}. */
export async function runFit(
  trainer: LoopTrainer,
  data: Dataset,
  options: FitOptions = {},
): Promise<FitResult> {
  checkOptionNames("fit", options, {
    ...runNames,
    onDecision: true,
    onStep: true,
    onValidation: true,
    onCheckpoint: true,
  });
  const run = new Run(trainer, data, options);
  const decisions: ControllerDecision[] = [];
  const first = trainer.step;
  const started = performance.now();
  let examples = 0;
  let info: StepInfo | undefined;
  let end: Pick<FitResult, "stoppedBy" | "best"> = { stoppedBy: "steps" };
  for await (const event of run) {
    switch (event.kind) {
      case "step": {
        const { kind: _, last: __, evaluates: ___, saves: ____, ...told } = event;
        info = told;
        examples += told.batchSize;
        await options.onStep?.(told);
        break;
      }
      case "evaluation":
        if (event.validation !== undefined && info !== undefined)
          await options.onValidation?.(event.validation, info);
        break;
      case "growth":
        decisions.push(event.decision);
        await options.onDecision?.(event.decision, event.growths);
        break;
      case "checkpoint":
        await options.onCheckpoint?.(event.step);
        break;
      case "end": {
        const { stoppedBy, best } = event;
        end = { stoppedBy, ...(best === undefined ? {} : { best }) };
      }
    }
  }
  const seconds = (performance.now() - started) / 1000;
  return {
    steps: trainer.step - first,
    step: trainer.step,
    epoch: trainer.progress.epoch,
    loss: info?.loss ?? Number.NaN,
    ...end,
    decisions,
    seconds,
    examplesPerSecond: seconds === 0 ? 0 : examples / seconds,
  };
}
