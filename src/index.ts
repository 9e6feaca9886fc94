// espalier: what most programs need. Everything else has a subpath: espalier/nn, /data, /growth, /training, /onnx, /report, /compare.

// Networks and models

export { decodeModel, encodeModel } from "./formats/onnx/index.ts";
export type { Model } from "./graph/model.ts";
export { type LoadOptions, loadModel, type SaveOptions, saveModel } from "./models/model-file.ts";
export { type CnnOptions, cnn } from "./nn/cnn.ts";
export { linear } from "./nn/linear.ts";
export { type MlpOptions, mlp } from "./nn/mlp.ts";
export { sequential } from "./nn/sequential.ts";

// Data

export { characters } from "./data/characters.ts";
export { loadCsv, parseCsv } from "./data/csv.ts";
export { type Dataset, dataset, reshapeFeatures, subset } from "./data/dataset.ts";
export { digits } from "./data/digits.ts";
export { twoMoons } from "./data/generated/two-moons.ts";
export { mnist } from "./data/mnist.ts";
export { splitDataset } from "./data/split.ts";

// Training

export type { FitResult, GrowthRecord, StepInfo } from "./training/history/record.ts";
export { adam, adamw } from "./training/optimizers/adam.ts";
export { optimizers } from "./training/optimizers/index.ts";
export { sgd } from "./training/optimizers/sgd.ts";
export type { GrowthPolicy } from "./training/policy/policy.ts";
export { constantRate, cosineRate, oneCycleRate, stepRate, wsdRate } from "./training/schedules/index.ts";
export type { TrainerOptions } from "./training/settings/options.ts";
export { parametersOf } from "./training/settings/parameter-summary.ts";
export type { FitOptions } from "./training/trainer/fit.ts";
export type { Run } from "./training/trainer/run.ts";
export type { RunEvent } from "./training/trainer/run-event.ts";
export type { RunOptions } from "./training/trainer/run-options.ts";
export { Trainer } from "./training/trainer/trainer.ts";

// Growing a model

export { summarize } from "./growth/examine/summary.ts";
export { findWidths as widths } from "./growth/find/widths.ts";
export { type GrowOptions, grow, replay } from "./growth/grow/grow-model.ts";
export { planDocument, readPlan } from "./growth/grow/plan-file.ts";
export type { Strategy } from "./growth/plan/strategy.ts";
export type { Width } from "./growth/plan/width.ts";
export { type ShrinkOptions, shrink } from "./growth/shrink/shrink-model.ts";
export { type StrategyName, strategies } from "./growth/strategies/index.ts";
export { examineUnits } from "./training/examine/shrink-evidence.ts";
export { withoutPreprocessing, withPreprocessing } from "./training/graphs/preprocessing-nodes.ts";
export { advise } from "./training/measure/advise.ts";
export { growOnData } from "./training/measure/grow-on-data.ts";
export { diagnose } from "./training/trainer/diagnose-model.ts";
export {
  type Verification,
  type VerifyOptions,
  verifyModels as verify,
} from "./training/verification/verify.ts";

// Reports

export { htmlReport } from "./report/html-report.ts";
export { Recorder } from "./report/record/recorder.ts";

// Tensors, random numbers, errors

export type { DataOf, DType } from "./tensor/dtype.ts";
export { type ErrorCode, type ErrorParts, EspalierError } from "./tensor/errors.ts";
export { Random } from "./tensor/random.ts";
export { float32, int32, int64, makeTensor, type Tensor } from "./tensor/tensor.ts";
