import type { KernelAddresses, OptimizerKernel } from "../../engine/kernel/optimizer-kernel.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import { checkOptionNames } from "../../tensor/known-options.ts";
import {
  type OptionRules,
  type OptionsOf,
  type PlainOptions,
  withDefaults,
} from "../options/option-rules.ts";
import { type Schedule, scheduleOf } from "../schedules/index.ts";

/** The operands of an update in the readable reference; every name is a value of the graph. */
export interface GraphUpdate {
  readonly graph: GraphBuilder;
  readonly parameter: string;
  readonly gradient: string;
  /** In the order of the slots that the parameter has. */
  readonly slots: readonly string[];
  /** In the order of {@link Optimizer.factors}: scalars, or tensors that broadcast to the parameter. */
  readonly factors: readonly string[];
}

/** Entries of a parameter that the kernel updates in one call: `rows` × `columns`, all of one age or of one age per column. */
export interface KernelUpdate {
  readonly kernel: OptimizerKernel;
  readonly addresses: KernelAddresses;
  readonly rows: number;
  readonly columns: number;
  /** In the order of {@link Optimizer.factors}: numbers, or byte offsets of float32 vectors with an element for each column. */
  readonly factors: readonly number[];
  readonly factorsPerColumn: boolean;
  /** What gradient clipping multiplies gradients by; 1 for none. */
  readonly gradientScale: number;
}

/** A number that an entry's update uses. Entries of one age share it, as if each age were a separate parameter group. */
export interface Factor {
  /** Whether it depends on the age. If not, entries differ in it only by how newborns are treated. */
  readonly byAge: boolean;
  /**
   * `age`: updates since the entry's moments started, this one included; 1 at the first. `learningRate`: the entry's in
   * this step. `decayShare`: how much of the weight decay it gets, from 0 to 1.
   */
  readonly of: (age: number, learningRate: number, decayShare: number) => number;
}

/**
 * A state tensor that an optimizer keeps for a parameter, of the parameter's shape. Its entries are zero at birth, and
 * again after a divergence.
 */
export interface Slot {
  readonly name: string;
  /**
   * How it scales if all gradients are multiplied by c: 1, by c (a mean or sum of gradients, such as momentum); 2, by c²
   * (of their squares); 0, not at all (of normalized steps). A shrink that merges units
   * adds up the gradients of their incoming weights, and so knows what their state would have been.
   */
  readonly degree: 0 | 1 | 2;
  /** Which parameters have it, by their number of axes. Default: all. */
  readonly ranks?: (rank: number) => boolean;
}

/**
 * An optimizer: a record of pure functions over plain options. An optimizer that is not in the table may be given to
 * a trainer too; `Trainer.resume` then needs it again.
 */
export interface Optimizer {
  readonly name: string;
  /** Everything needed to make it again, besides the learning rate. */
  readonly options: PlainOptions;
  readonly learningRate: Schedule;
  readonly slots: readonly Slot[];
  readonly factors: readonly Factor[];
  /** Writes the update as ONNX operators: [next parameter, ...next slots]. */
  readonly emit: (update: GraphUpdate) => readonly string[];
  /** The same in the SIMD kernel, with the same rounding. Without it ONNX Runtime runs what `emit` writes. */
  readonly kernel?: (update: KernelUpdate) => void;
}

/** The state tensors of a parameter of `rank` axes. */
export function slotsOf({ slots }: Pick<Optimizer, "slots">, rank: number): readonly Slot[] {
  return slots.filter(({ ranks }) => ranks === undefined || ranks(rank));
}

/** The part of an optimizer that follows from its options. */
export type UpdateRule = Omit<Optimizer, "name" | "options" | "learningRate">;

/** A function from options to an optimizer, which also says what the options may be. */
export interface OptimizerMaker<Rules extends OptionRules = OptionRules> {
  (options?: OptimizerOptions<Rules>): Optimizer;
  readonly options: Rules;
  /** The learning rate unless another is given. */
  readonly rate: number;
}

export type OptimizerOptions<Rules extends OptionRules> = Partial<OptionsOf<Rules>> & {
  readonly learningRate?: number | Schedule;
};

/**
 * Describes an optimizer: its name, its default learning rate, what its options may be, and its update. The resulting
 * function throws `ARGUMENT` for options that it does not have or that are out of range.
 */
export function optimizer<Rules extends OptionRules>(
  name: string,
  rate: number,
  rules: Rules,
  rule: (options: OptionsOf<Rules>) => UpdateRule,
): OptimizerMaker<Rules> {
  const make = (asked: OptimizerOptions<Rules> = {}): Optimizer => {
    checkOptionNames<object>(name, asked, { learningRate: true, ...rules });
    const { learningRate = rate, ...given } = asked;
    const options = withDefaults(name, rules, given);
    return {
      name,
      options: options as PlainOptions,
      learningRate: scheduleOf(learningRate),
      ...rule(options),
    };
  };
  return Object.assign(make, { options: rules, rate });
}
