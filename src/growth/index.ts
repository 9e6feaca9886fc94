// espalier/growth: the widths of a model, plans that change them, and the strategies and scores that choose values.

// Widths

export { type LayerSummary, type ModelSummary, summarize } from "./examine/summary.ts";
export { type Vocabulary, vocabularies } from "./find/vocabulary.ts";
export { findWidths as widths } from "./find/widths.ts";
export type {
  FillKind,
  MethodName,
  NodeRepair,
  Width,
  WidthAxis,
  WidthPart,
  WrittenSize,
} from "./plan/width.ts";

// Growing

export { applyPlan, type Insert } from "./grow/apply.ts";
export type { LeftWidth } from "./grow/every-width.ts";
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
  type VocabularyGrowth,
  type Widening,
  type WideningStep,
} from "./grow/grow-model.ts";
export { fingerprintOf, type PlanDocument, planDocument, readPlan } from "./grow/plan-file.ts";
export {
  type GrowthPlan,
  type GrowthRequest,
  type NumberEdit,
  planGrowth,
  type RepairEdit,
} from "./plan/plan.ts";

// Shrinking

export { type RedundantUnits, redundantUnits } from "./examine/redundant.ts";
export type { EvidenceKind, Importance } from "./importance/importance.ts";
export { type ImportanceName, importances } from "./importance/index.ts";
export { applyShrink, type Combine, type Drop, type ShrinkEdit } from "./shrink/shrink-apply.ts";
export type { ShrinkChoice, ShrinkEvidence } from "./shrink/shrink-choice.ts";
export { type Shrinking, type ShrinkOptions, type ShrunkModel, shrink } from "./shrink/shrink-model.ts";
export {
  type Exactness,
  type GoneUnit,
  planShrink,
  type ShrinkGrounds,
  type ShrinkPlan,
  type ShrinkRequest,
} from "./shrink/shrink-plan.ts";

// Strategies: which values new units get

export type { Choice } from "./plan/choice.ts";
export type { Fill, FillRequest, Fills } from "./plan/fills.ts";
export type { Matrix } from "./plan/matrix.ts";
export type { Curvature, Residual, Response, TrialUnits, WidthProbe } from "./plan/probe.ts";
export type { ChoiceRequest, Strategy } from "./plan/strategy.ts";
export { bestOf } from "./strategies/candidates.ts";
export { type StrategyName, strategies } from "./strategies/index.ts";

// Scores: where new units would help most

export type { Score, WidthScore } from "./plan/score.ts";
export { type ScoreName, scores } from "./scores/index.ts";

// Diagnosis

export type { Block, Layout, UnitPositions } from "../graph/layout.ts";
export type { Repair, Role } from "../ops/rules/axis-rule.ts";
export { type OutputDifference, relativeLimit } from "./examine/compare.ts";
export type { Collapse, DeadUnit, DiagnosisOptions, Evidence, WidthDiagnosis } from "./examine/diagnose.ts";
export type { Reals } from "./plan/real-parameter.ts";
export type { Slices } from "./plan/slices.ts";
