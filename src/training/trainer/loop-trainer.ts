import type { Dataset } from "../../data/dataset.ts";
import type { WidthScore } from "../../growth/plan/score.ts";
import type { Width } from "../../growth/plan/width.ts";
import type { Evaluation } from "../compilation/evaluator.ts";
import type { GrowthRecord } from "../history/record.ts";
import type { Progress, TrainerState } from "../history/state.ts";
import type { SampleOptions } from "../measure/sample.ts";
import type { ScoreRequest } from "../measure/score-widths.ts";
import type { DueGrowth } from "../policy/growth-schedule.ts";
import type { ControllerState } from "../policy/state.ts";
import type { WidenOptions } from "../resize/widen.ts";
import type { TrainerSettings } from "../settings/options.ts";
import type { Watched } from "../settings/term-metrics.ts";

/** What the training loop and the growth controller need of a trainer; `Trainer` documents the members. */
export interface LoopTrainer {
  readonly settings: TrainerSettings;
  readonly metrics: readonly Watched[];
  readonly widths: readonly Width[];
  readonly progress: Progress;
  readonly step: number;
  readonly growths: readonly GrowthRecord[];
  readonly kept: TrainerState | undefined;
  readonly parameterCount: number;
  readonly flopsPerExample: number;
  parametersAfter(growths: readonly DueGrowth[]): number;
  nextStepFlops(data: Dataset): number;
  growingFlops(): Promise<number>;
  trainStep(data: Dataset): Promise<{ readonly loss: number; readonly size: number }>;
  settle(): Promise<void>;
  evaluate(data: Dataset): Promise<Evaluation>;
  score(data: Dataset, options: ScoreRequest & SampleOptions): Promise<readonly WidthScore[]>;
  widen(width: string, options: WidenOptions): Promise<GrowthRecord>;
  state(): TrainerState;
  remember(controller: ControllerState, kept: TrainerState | undefined, scoring?: number): void;
  rollback(state: TrainerState): Promise<void>;
  restoreWeights(state: TrainerState): Promise<void>;
}
