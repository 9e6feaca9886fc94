// Models

// Data
export { type CharacterSplit, type CharactersOptions, characters, charactersOf } from "./data/characters.ts";
export type { Column, ColumnData, ColumnParts } from "./data/columns.ts";
export { loadCsv, parseCsv } from "./data/csv.ts";
export { type Dataset, type DatasetParts, dataset, reshapeFeatures, subset } from "./data/dataset.ts";
export { digits } from "./data/digits.ts";
export { spirals } from "./data/generated/spirals.ts";
export { studentTeacher } from "./data/generated/student-teacher.ts";
export { twoMoons } from "./data/generated/two-moons.ts";
export { xor } from "./data/generated/xor.ts";
export { loadIdx, parseIdx } from "./data/idx.ts";
export { mnist } from "./data/mnist.ts";
export {
  type CategoryColumn,
  type ClassTarget,
  type FeatureColumn,
  type ImageFeatures,
  type NumberColumn,
  type NumberTarget,
  type Preprocessing,
  preprocessingJson,
  readPreprocessing,
  type Scale,
  type TableFeatures,
  type Target,
} from "./data/preprocessing/index.ts";
export { type Split, splitDataset } from "./data/split.ts";
export { applyStandardiser, standardiser } from "./data/standardise.ts";
// Files and formats
export {
  type DecodeOptions,
  decodeModel,
  type ExternalFiles,
  encodeModel,
  encodeModelChunks,
  type Limits,
  type SplitModel,
  splitModel,
} from "./formats/onnx/index.ts";
export { decodeSafetensors, encodeSafetensors } from "./formats/safetensors.ts";
export type { Dim, Shape } from "./graph/dim.ts";
export type {
  Attribute,
  Attributes,
  DeclaredValue,
  Graph,
  Model,
  Node,
  Notes,
  Subgraph,
  Value,
  ValueType,
} from "./graph/model.ts";
export { relativeLimit } from "./growth/examine/compare.ts";
export type {
  Collapse,
  DeadUnit,
  DiagnosisOptions,
  Evidence,
  WidthDiagnosis,
} from "./growth/examine/diagnose.ts";
export { type RedundantUnits, redundantUnits } from "./growth/examine/redundant.ts";
export { type LayerSummary, type ModelSummary, summarise } from "./growth/examine/summary.ts";
// Growth
export { findWidths as widths } from "./growth/find/widths.ts";
export { applyPlan } from "./growth/grow/apply.ts";
export {
  type Amount,
  type Bordering,
  type Deepening,
  type DeepeningStep,
  type GrownModel,
  type GrowOptions,
  type Growth,
  type GrowthStep,
  grow,
  replay,
  type Widening,
  type WideningStep,
} from "./growth/grow/grow-model.ts";
export { fingerprintOf, type PlanDocument, planDocument, readPlan } from "./growth/grow/plan-file.ts";
export type { EvidenceKind, Importance } from "./growth/importance/importance.ts";
export { type ImportanceName, importances } from "./growth/importance/index.ts";
export type { Choice } from "./growth/plan/choice.ts";
export type { Fill, FillRequest } from "./growth/plan/fills.ts";
export type { Matrix } from "./growth/plan/matrix.ts";
export { type GrowthPlan, type GrowthRequest, planGrowth } from "./growth/plan/plan.ts";
export type { Curvature, Residual, Response, TrialUnits, WidthProbe } from "./growth/plan/probe.ts";
export type { Score, WidthScore } from "./growth/plan/score.ts";
export type { ChoiceRequest, Strategy } from "./growth/plan/strategy.ts";
export type { Width, WidthAxis, WidthPart } from "./growth/plan/width.ts";
export { type ScoreName, scores } from "./growth/scores/index.ts";
export { applyShrink } from "./growth/shrink/shrink-apply.ts";
export type { ShrinkChoice, ShrinkEvidence } from "./growth/shrink/shrink-choice.ts";
export {
  type Shrinking,
  type ShrinkOptions,
  type ShrunkModel,
  shrink,
} from "./growth/shrink/shrink-model.ts";
export {
  type Exactness,
  type GoneUnit,
  planShrink,
  type ShrinkGrounds,
  type ShrinkPlan,
  type ShrinkRequest,
} from "./growth/shrink/shrink-plan.ts";
export { bestOf } from "./growth/strategies/candidates.ts";
export { type StrategyName, strategies } from "./growth/strategies/index.ts";
// Ledger
export type { Comparison } from "./ledger/config.ts";
export { type Ledger, ledgerJson } from "./ledger/ledger.ts";
export { ledgerPage } from "./ledger/page/page.ts";
export { readComparison } from "./ledger/read-config.ts";
export { type LoadOptions, loadModel, type SaveOptions, saveModel } from "./models/model-file.ts";
export { type ActivationName, activation, activationNames } from "./nn/activation.ts";
export { type BatchNormOptions, batchNorm } from "./nn/batch-norm.ts";
export { type CnnOptions, cnn } from "./nn/cnn.ts";
export { type Conv2dOptions, conv2d } from "./nn/conv2d.ts";
export { dropout } from "./nn/dropout.ts";
export type { Layer, LayerContext } from "./nn/layer.ts";
export { type LinearOptions, linear } from "./nn/linear.ts";
export { type MlpOptions, mlp } from "./nn/mlp.ts";
export { averagePool, flatten, globalAveragePool, maxPool, type PoolOptions } from "./nn/pooling.ts";
export { type ModelOptions, sequential } from "./nn/sequential.ts";
// Reports
export { htmlReport } from "./report/html-report.ts";
export {
  Recorder,
  type RecorderEvents,
  type RecorderOptions,
  type RunStatus,
} from "./report/record/recorder.ts";
export type { RunArm, RunDiagnosis, RunPoint, RunRecord } from "./report/record/run-record.ts";
export type { DataOf, DType } from "./tensor/dtype.ts";
export { type ErrorCode, EspalierError } from "./tensor/errors.ts";
export { Random } from "./tensor/random.ts";
// Tensors, randomness, errors
export { float32, int32, int64, makeTensor, type Tensor } from "./tensor/tensor.ts";
export type { Evaluation } from "./training/compilation/evaluator.ts";
export { examineNewUnits, type NewUnits, type NewUnitsOptions } from "./training/examine/new-units.ts";
export { compareOnData, type ExamineOptions, examineUnits } from "./training/examine/shrink-evidence.ts";
export {
  type PreprocessedModel,
  type PreprocessingOptions,
  withoutPreprocessing,
  withPreprocessing,
} from "./training/graphs/preprocessing-nodes.ts";
export type { ResumeOptions } from "./training/history/open-checkpoint.ts";
export type {
  ChoosingCost,
  FitResult,
  GrowthRecord,
  ShrinkRecord,
  SizeChange,
  StepInfo,
} from "./training/history/record.ts";
// Training
export type { Progress, Rollback, TrainerState } from "./training/history/state.ts";
export { advise, type MeasureOptions } from "./training/measure/advise.ts";
export { type GrowOnDataOptions, growOnData } from "./training/measure/grow-on-data.ts";
export type { SampleOptions } from "./training/measure/sample.ts";
export type { ScoreRequest } from "./training/measure/score-widths.ts";
export { type AdamOptions, adam, adamw } from "./training/optimizers/adam.ts";
export type { Newborn, NewbornOptions } from "./training/optimizers/newborn.ts";
export type { Optimizer } from "./training/optimizers/optimizer.ts";
export { constantRate, cosineRate, type Schedule, stepRate } from "./training/optimizers/schedule.ts";
export { type SgdOptions, sgd } from "./training/optimizers/sgd.ts";
export type { GrowthEvent, GrowthOnce, GrowthRepeated } from "./training/policy/growth-schedule.ts";
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
} from "./training/policy/policy.ts";
export { readPolicy } from "./training/policy/read-policy.ts";
export type { ControllerDecision, ScoreSeen } from "./training/policy/state.ts";
export type { WidenOptions } from "./training/resize/widen.ts";
export { type LossChoice, type LossName, losses } from "./training/settings/loss.ts";
export {
  accuracy,
  binaryAccuracy,
  type Metric,
  meanAbsoluteError,
  r2,
  rootMeanSquaredError,
  tokenAccuracy,
} from "./training/settings/metric.ts";
export type { TrainerOptions, TrainerSettings } from "./training/settings/options.ts";
export { type ParameterSummary, parametersOf } from "./training/settings/parameter-summary.ts";
export type { ParameterChoice } from "./training/settings/trainable.ts";
export { diagnose } from "./training/trainer/diagnose-model.ts";
export type { EarlyStopping, FitOptions } from "./training/trainer/fit.ts";
export { Trainer } from "./training/trainer/trainer.ts";
export type { Sizes } from "./training/verification/sample-inputs.ts";
export {
  type OutputCheck,
  type Verification,
  type VerifyOptions,
  verifyModels as verify,
} from "./training/verification/verify.ts";
