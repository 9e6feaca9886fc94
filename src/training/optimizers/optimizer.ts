import type { KernelAddresses, OptimizerKernel } from "../../engine/kernel/optimizer-kernel.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Schedule } from "./schedule.ts";

/** What the readable reference writes its update with; every name is a value of the graph. */
export interface GraphUpdate {
  readonly graph: GraphBuilder;
  readonly parameter: string;
  readonly gradient: string;
  /** In the order of {@link Optimizer.slots}. */
  readonly slots: readonly string[];
  /** In the order of {@link Optimizer.factors}: scalars, or tensors that broadcast to the parameter. */
  readonly factors: readonly string[];
}

/** Entries of a parameter that the kernel updates in one call: `rows` × `columns`, all of one age or an age a column. */
export interface KernelUpdate {
  readonly kernel: OptimizerKernel;
  readonly addresses: KernelAddresses;
  readonly rows: number;
  readonly columns: number;
  /** In the order of {@link Optimizer.factors}: numbers, or byte offsets of float32 vectors with an element for each column. */
  readonly factors: readonly number[];
  readonly factorsPerColumn: boolean;
  /** What gradient clipping multiplies gradients with; 1 for none. */
  readonly gradientScale: number;
}

/** A number that an entry's update takes. Entries of one age share it, as if each age were a parameter group of its own. */
export interface Factor {
  /** Whether it depends on the age. Where not, entries differ in it only by how newborns are treated. */
  readonly byAge: boolean;
  /**
   * `age`: updates since the entry's moments started, this one included; 1 at the first. `learningRate`: the entry's in
   * this step. `decayShare`: how much of the weight decay it gets, from 0 to 1.
   */
  readonly of: (age: number, learningRate: number, decayShare: number) => number;
}

/** An optimiser: a record of pure functions over plain options. */
export interface Optimizer {
  readonly name: OptimizerName;
  /** Everything needed to make it again. */
  readonly options: Readonly<Record<string, number | boolean>>;
  readonly learningRate: Schedule;
  /** State tensors per parameter, each of the parameter's shape and zero at birth. */
  readonly slots: readonly string[];
  /** For each slot, whether it is a mean or sum of gradients (1) or of their squares (2). */
  readonly degrees: readonly (1 | 2)[];
  readonly factors: readonly Factor[];
  /** FLOPs that one update of one entry takes. */
  readonly flopsPerEntry: number;
  /** Writes the update as ONNX operators: [next parameter, ...next slots]. The reference that the kernel must equal. */
  readonly emit: (update: GraphUpdate) => readonly string[];
  /** The same in the kernel. */
  readonly run: (update: KernelUpdate) => void;
}

export type OptimizerName = "sgd" | "adam" | "adamw";
