// espalier/compare: does growing pay? A comparison's configuration, its results, and their page.

export type { Against, CostRatio, LineSummary } from "./analyze.ts";
export type {
  Arm,
  ArmBudget,
  Comparison,
  FirstPhase,
  Grid,
  LossConfig,
  MetricConfig,
  NetworkConfig,
  OptimizerConfig,
  Question,
  ScheduleConfig,
  Size,
  SplitConfig,
  TaskConfig,
  Tuning,
} from "./config.ts";
export type { Widths } from "./end-size.ts";
export type { Finding, Verdict } from "./findings.ts";
export type { GridPoint, Job, JobResult } from "./job.ts";
export { comparisonPage } from "./page/page.ts";
export { readComparison } from "./read-config.ts";
export { type ComparisonResults, type Failure, resultsJson, type SunkCost } from "./results.ts";
export type { Line, SeedRun } from "./runs.ts";
export type { Estimate } from "./statistics/bootstrap.ts";
export type { CurvePoint } from "./statistics/curve.ts";
export type { TunedArm } from "./tune.ts";
