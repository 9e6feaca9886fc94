import type { CsvFileOptions } from "../data/csv.ts";
import type { ActivationName } from "../nn/activation.ts";
import type { LossName } from "../training/losses/index.ts";
import type { OptimizerName } from "../training/optimizers/index.ts";
import type { NewbornOptions } from "../training/optimizers/newborn.ts";
import type { GrowthPolicy } from "../training/policy/policy.ts";

/**
 * What a comparison asks:
 * - "known size": the target size from scratch, against growing to it;
 * - "too small": a small network has been trained and does not suffice: start over, or grow it and go on;
 * - "unknown size": a sweep over sizes from scratch, the best kept, against one run that grows;
 * - "free": whatever the arms are.
 */
export type Question = "known size" | "too small" | "unknown size" | "free";

export const questions = ["known size", "too small", "unknown size", "free"] as const satisfies Question[];

/** Where the examples come from. Files are looked up in the folder that the command line names. */
export type DataSource =
  | { readonly kind: "digits" }
  | { readonly kind: "mnist"; readonly folder: string }
  | { readonly kind: "characters"; readonly file: string; readonly context: number }
  | {
      readonly kind: "student-teacher";
      readonly inputs: number;
      readonly hidden: number;
      readonly outputs: number;
      readonly count: number;
    }
  | { readonly kind: "moons" | "spirals" | "xor" }
  | ({ readonly kind: "csv"; readonly file: string } & CsvReading);

/** How a CSV file is read, in the words of the loader. */
export type CsvReading = Pick<
  CsvFileOptions,
  | "label"
  | "target"
  | "header"
  | "delimiter"
  | "skipRows"
  | "comment"
  | "decimal"
  | "thousands"
  | "encoding"
  | "missing"
  | "drop"
  | "keep"
  | "categories"
>;

/** A number below 1 is a share of the examples, any other a count. */
export interface SplitConfig {
  /** "train": the training examples themselves, all of them, where it is optimization that is asked about. */
  readonly validation: number | "train";
  /** 0 for none. MNIST has its own. */
  readonly test: number;
  /** Most training examples. Default: all. */
  readonly train?: number;
  /** Default: the seed of the run, so that each run has a split of its own. */
  readonly seed?: number;
}

export interface NetworkConfig {
  readonly kind: "mlp" | "cnn";
  readonly activation: ActivationName;
  readonly bias: boolean;
  readonly batchNorm: boolean;
  readonly dropout: number;
}

/** What every arm has in common. */
export interface TaskConfig {
  readonly data: DataSource;
  readonly network: NetworkConfig;
  readonly loss: LossName;
  /** "full": one batch of all training examples. */
  readonly batch: number | "full";
  readonly split: SplitConfig;
  /** Whether features are standardized by the statistics of the training examples. */
  readonly standardize: boolean;
}

/** Units of the widths that the data leave open. */
export interface Size {
  readonly hidden: readonly number[];
  /** Of a CNN's convolutions. */
  readonly filters: readonly number[];
}

export interface ArmBudget {
  /** Most updates. */
  readonly steps: number;
  /** Most FLOPs: a run ends at the first evaluation that finds them spent. Default: no limit. */
  readonly flops?: number;
  /** Updates between two evaluations on the validation data. */
  readonly evaluateEvery: number;
  /** Evaluations without a better validation loss before a run stops. Default: it goes on to the end. */
  readonly patience?: number;
}

/** How the learning rate goes over a run. */
export type ScheduleConfig =
  | { readonly kind: "constant" }
  | {
      readonly kind: "cosine";
      /** Steps of linear warm-up. */
      readonly warmup: number;
      /** Steps at the peak behind it. Default 0. */
      readonly hold?: number;
      /** Where it ends, as a share of the rate. */
      readonly final: number;
      /** The run ends there. Default: the budget's. */
      readonly steps?: number;
    };

export interface OptimizerConfig {
  readonly name: OptimizerName;
  readonly options: Readonly<Record<string, number | boolean>>;
}

/** Learning rates and schedules that an arm is tuned over: each with each. */
export interface Grid {
  readonly rates: readonly number[];
  readonly schedules: readonly ScheduleConfig[];
}

export interface Arm {
  readonly name: string;
  /** At the start; of an arm that goes on, the first phase's. */
  readonly size: Size;
  /** Goes on with the network of the first phase instead of starting anew. */
  readonly goesOn: boolean;
  /** Its strategy among it. */
  readonly growth?: GrowthPolicy;
  /** How new units are trained while they are young. */
  readonly newborn?: NewbornOptions;
  readonly optimizer: OptimizerConfig;
  readonly grid: Grid;
  readonly budget: ArmBudget;
  /** The sweep that it is a member of. */
  readonly sweep?: string;
}

/** A network that is trained once per seed, before any arm that goes on with it; its cost is sunk. */
export interface FirstPhase {
  readonly size: Size;
  readonly optimizer: OptimizerConfig;
  readonly rate: number;
  readonly schedule: ScheduleConfig;
  readonly budget: ArmBudget;
}

export interface Tuning {
  /** An arm keeps the grid point with the least mean validation loss over the tuning seeds: each run's best, or its last. */
  readonly rule: "best" | "final";
}

/** A comparison, checked and with every default filled in. */
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
