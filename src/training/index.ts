// espalier/training: the trainer, and the parts of your own optimizer, loss, metric, schedule or policy.

// A run

export type { ResumeOptions } from "./history/open-checkpoint.ts";
export type {
  ChoosingCost,
  FitResult,
  GrowthRecord,
  ShrinkRecord,
  SizeChange,
  StepInfo,
  StoppedBy,
} from "./history/record.ts";
export type { Progress, Rollback, Spent, TrainerState } from "./history/state.ts";
export type { EarlyStopping } from "./policy/early-stopping.ts";
export type { WidenOptions } from "./resize/widen.ts";
export type { TrainerOptions, TrainerSettings } from "./settings/options.ts";
export { type ParameterSummary, parametersOf } from "./settings/parameter-summary.ts";
export type { ParameterChoice } from "./settings/trainable.ts";
export type { FitOptions } from "./trainer/fit.ts";
export { Run } from "./trainer/run.ts";
export type {
  CheckpointEvent,
  DecisionEvent,
  EndEvent,
  EvaluationEvent,
  GrownEvent,
  LoopEvent,
  RunEvent,
  StepEvent,
} from "./trainer/run-event.ts";
export type { RunOptions } from "./trainer/run-options.ts";
export { Trainer } from "./trainer/trainer.ts";

// Optimizers and schedules

export { type AdamOptions, adam, adamw } from "./optimizers/adam.ts";
export { type OptimizerName, optimizers } from "./optimizers/index.ts";
export type { Newborn, NewbornOptions } from "./optimizers/newborn.ts";
export {
  type Factor,
  type GraphUpdate,
  type KernelUpdate,
  type Optimizer,
  type OptimizerMaker,
  type OptimizerOptions,
  optimizer,
  type Slot,
  type UpdateRule,
} from "./optimizers/optimizer.ts";
export { sgd } from "./optimizers/sgd.ts";
export type {
  FlagRule,
  NumberRule,
  OptionRule,
  OptionRules,
  OptionsOf,
  PlainOptions,
} from "./options/option-rules.ts";
export {
  constantRate,
  cosineRate,
  oneCycleRate,
  type Schedule,
  type ScheduleName,
  stepRate,
  wsdRate,
} from "./schedules/index.ts";

// Losses and metrics

export type { Evaluation } from "./compilation/evaluator.ts";
export { type LossChoice, type LossName, type LossOf, losses } from "./losses/index.ts";
export { type Inverts, type Loss, type LossMaker, loss } from "./losses/loss.ts";
export { type MetricName, metrics } from "./metrics/index.ts";
export { type Metric, type MetricMaker, metric, type ScoredBatch } from "./metrics/metric.ts";

// Policies: when, where and how much to grow

export type { DueGrowth, GrowthEvent, GrowthOnce, GrowthRepeated } from "./policy/growth-schedule.ts";
export type {
  Budget,
  GrowthPolicy,
  HowMany,
  Plateau,
  RuledPolicy,
  ScheduledPolicy,
  ScoreThreshold,
  Stop,
  Trial,
  When,
  Where,
} from "./policy/policy.ts";
export { readPolicy } from "./policy/read-policy.ts";
export type { Barred, ControllerDecision, ControllerState, OpenGrowth, ScoreSeen } from "./policy/state.ts";

// Looking at models and data

export type {
  AdamPerColumn,
  AdamScalars,
  KernelAddresses,
  OneAge,
  OptimizerKernel,
  SgdPerColumn,
  SgdScalars,
} from "../engine/kernel/optimizer-kernel.ts";
export type { Feeds, SessionOptions } from "../engine/session.ts";
export type { Given } from "./compilation/probe.ts";
export type { DiagnoseOptions } from "./examine/evidence.ts";
export { examineNewUnits, type NewUnits, type NewUnitsOptions } from "./examine/new-units.ts";
export { compareOnData, type ExamineOptions, examineUnits } from "./examine/shrink-evidence.ts";
export {
  type PreprocessedModel,
  type PreprocessingOptions,
  withoutPreprocessing,
  withPreprocessing,
} from "./graphs/preprocessing-nodes.ts";
export type { LearnerState } from "./learner/learner.ts";
export { advise, type MeasureOptions } from "./measure/advise.ts";
export { type GrowOnDataOptions, growOnData } from "./measure/grow-on-data.ts";
export type { SampleOptions } from "./measure/sample.ts";
export type { ScoreRequest } from "./measure/score-widths.ts";
export type { ClassWeights } from "./metrics/counted.ts";
export type { Births } from "./optimizers/ages.ts";
export type { Clipping } from "./optimizers/clipping.ts";
export type { ConstantSchedule } from "./schedules/constant.ts";
export type { CosineSchedule } from "./schedules/cosine.ts";
export type { OneCycleSchedule } from "./schedules/one-cycle.ts";
export type { StepSchedule } from "./schedules/step.ts";
export type { WsdSchedule } from "./schedules/wsd.ts";
export type { BatchAxis } from "./settings/batch-axes.ts";
export type { LossTerm, TaskOptions } from "./settings/task-options.ts";
export type { MetricChoice, Watched } from "./settings/term-metrics.ts";
export { diagnose } from "./trainer/diagnose-model.ts";
export type { LoopTrainer } from "./trainer/loop-trainer.ts";
export type { OutputCoverage } from "./verification/coverage.ts";
export type { ComparedData } from "./verification/input-sets.ts";
export type { WokenUnits } from "./verification/new-unit-watch.ts";
export type { GivenValues, Sizes } from "./verification/sample-inputs.ts";
export {
  type Outcome,
  type OutputCheck,
  type Verification,
  type VerifyOptions,
  verifyModels as verify,
} from "./verification/verify.ts";
