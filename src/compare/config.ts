import type { DataSource } from "../data/sources/index.ts";
import type { ActivationName } from "../nn/activation.ts";
import type { LossName } from "../training/losses/index.ts";
import type { MetricName } from "../training/metrics/index.ts";
import type { OptimizerName } from "../training/optimizers/index.ts";
import type { NewbornOptions } from "../training/optimizers/newborn.ts";
import type { PlainOptions } from "../training/options/option-rules.ts";
import type { GrowthPolicy } from "../training/policy/policy.ts";
import type { ScheduleName } from "../training/schedules/index.ts";

/**
 * What a comparison asks:
 * - "known size": training the target size from scratch, against growing to it;
 * - "too small": a trained network turns out too small: start over, or grow it and continue;
 * - "unknown size": a sweep over sizes from scratch, the best kept, against one run that grows;
 * - "free": any arms.
 */
export type Question = "known size" | "too small" | "unknown size" | "free";

export const questions = ["known size", "too small", "unknown size", "free"] as const satisfies Question[];

/** A number below 1 is a fraction of the examples, any other a count. */
export interface SplitConfig {
  /** "train": all the training examples themselves, for questions about optimization. */
  readonly validation: number | "train";
  /** 0 for none. MNIST has its own. */
  readonly test: number;
  /** Maximum number of training examples. Default: all. */
  readonly train?: number;
  /** Default: the seed of the run, so that each run has its own split. */
  readonly seed?: number;
}

export interface NetworkConfig {
  readonly kind: "mlp" | "cnn";
  readonly activation: ActivationName;
  readonly bias: boolean;
  readonly batchNorm: boolean;
  readonly dropout: number;
}

/** What all arms have in common. */
export interface TaskConfig {
  /** Files are looked up in the folder given on the command line. */
  readonly data: DataSource;
  readonly network: NetworkConfig;
  readonly loss: LossConfig;
  /** Measured on the test data besides the loss. Default: those that the loss names. */
  readonly metrics?: readonly MetricConfig[];
  /** "full": one batch of all training examples. */
  readonly batch: number | "full";
  readonly split: SplitConfig;
  /** Whether features are standardized with the statistics of the training examples. */
  readonly standardize: boolean;
}

/** Units of the widths that the data do not determine. */
export interface Size {
  readonly hidden: readonly number[];
  /** Filters of a CNN's convolutions. */
  readonly filters: readonly number[];
}

export interface ArmBudget {
  /** Maximum number of updates. */
  readonly steps: number;
  /** Maximum FLOPs: a run ends at the first evaluation after they are spent. Default: no limit. */
  readonly flops?: number;
  /** Updates between two evaluations on the validation data. */
  readonly evaluateEvery: number;
  /** Evaluations without a better validation loss before a run stops. Default: it runs to the end. */
  readonly patience?: number;
}

/** The learning rate over a run: a schedule of the table and its options, as `train` has them. */
export interface ScheduleConfig {
  readonly kind: ScheduleName;
  readonly options: PlainOptions;
  /** The run ends there. Default: the budget's. */
  readonly steps?: number;
}

export interface OptimizerConfig {
  readonly name: OptimizerName;
  readonly options: PlainOptions;
}

export interface LossConfig {
  readonly name: LossName;
  readonly options: PlainOptions;
}

export interface MetricConfig {
  readonly name: MetricName;
  readonly options: PlainOptions;
}

/** Learning rates and schedules that an arm is tuned over, in all combinations. */
export interface Grid {
  readonly rates: readonly number[];
  readonly schedules: readonly ScheduleConfig[];
}

export interface Arm {
  readonly name: string;
  /** At the start; for an arm that continues, the first phase's. */
  readonly size: Size;
  /** Continues with the network of the first phase instead of starting from scratch. */
  readonly goesOn: boolean;
  /** Includes the strategy. */
  readonly growth?: GrowthPolicy;
  /** How new units are trained while they are young. */
  readonly newborn?: NewbornOptions;
  readonly optimizer: OptimizerConfig;
  readonly grid: Grid;
  readonly budget: ArmBudget;
  /** The sweep that the arm belongs to. */
  readonly sweep?: string;
}

/** A network that is trained once per seed, before the arms that continue with it; its cost is sunk. */
export interface FirstPhase {
  readonly size: Size;
  readonly optimizer: OptimizerConfig;
  readonly rate: number;
  readonly schedule: ScheduleConfig;
  readonly budget: ArmBudget;
}

export interface Tuning {
  /** An arm keeps the grid point with the least mean, over tuning seeds, of each run's best or last validation loss. */
  readonly rule: "best" | "final";
}

/** A comparison, validated, with every default filled in. */
export interface Comparison {
  readonly title: string;
  readonly question: Question;
  readonly task: TaskConfig;
  readonly first?: FirstPhase;
  readonly tuning: Tuning;
  readonly seeds: { readonly tuning: readonly number[]; readonly report: readonly number[] };
  /** The arm (or sweep) that the others are measured against. */
  readonly reference: string;
  /** Arms and the members of sweeps, in the order of the report. */
  readonly arms: readonly Arm[];
  readonly sizesDiffer: boolean;
}
