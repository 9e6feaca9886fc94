import type { KernelAddresses, OptimizerKernel } from "../../engine/kernel/optimizer-kernel.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Schedule } from "../schedule.ts";

/** Scalars of one step, the same for every parameter. */
export interface StepScalars {
  readonly learningRate: number;
  /** What gradient clipping multiplies gradients with; 1 for none. */
  readonly gradientScale: number;
}

/** What the readable reference writes its update with; every name is a value of the graph. */
export interface GraphUpdate {
  readonly graph: GraphBuilder;
  readonly parameter: string;
  readonly gradient: string;
  /** In the order of {@link Optimizer.slots}. */
  readonly slots: readonly string[];
  readonly learningRate: string;
  /** The age factors in the order of {@link Optimizer.factors}, broadcastable to the parameter. */
  readonly factors: readonly string[];
}

/** Entries of a parameter that the kernel updates in one call: `rows` × `columns`, all of one age or an age a column. */
export interface KernelUpdate {
  readonly kernel: OptimizerKernel;
  readonly addresses: KernelAddresses;
  readonly rows: number;
  readonly columns: number;
  /** The age factors: numbers, or byte offsets of float32 vectors with an element for each column. */
  readonly factors: readonly number[];
  readonly factorsPerColumn: boolean;
}

/** An optimiser: a record of pure functions over plain options. */
export interface Optimizer {
  readonly name: OptimizerName;
  /** Everything needed to make it again. */
  readonly options: Readonly<Record<string, number | boolean>>;
  readonly learningRate: Schedule;
  /** State tensors per parameter, each of the parameter's shape and zero at birth. */
  readonly slots: readonly string[];
  /**
   * What depends on an entry's age `t` (updates since its birth, this one included; 1 at the first), before the
   * learning rate. Empty where age does not matter.
   */
  readonly factors: readonly ((age: number) => number)[];
  /** FLOPs that one update of one entry takes. */
  readonly flopsPerEntry: number;
  /** Writes the update as ONNX operators: [next parameter, ...next slots]. The reference that the kernel must equal. */
  readonly emit: (update: GraphUpdate) => readonly string[];
  /** The same in the kernel. */
  readonly run: (update: KernelUpdate, scalars: StepScalars) => void;
}

export type OptimizerName = "sgd" | "adam" | "adamw";
