import type { TorchValue } from "../../formats/torch/value.ts";
import type { DType } from "../../tensor/dtype.ts";

/** A tensor of an optimizer's state; its bytes are read when they are asked for. */
export interface StateTensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Bytes of `count` elements from element `from` on. */
  readonly read: (from: number, count: number) => Uint8Array;
}

/** What an optimizer keeps for one parameter, by the names that PyTorch gives it. */
export type ParameterState = ReadonlyMap<string, StateTensor | number | null>;

/** Parameters that are updated with the same options. */
export interface ParameterGroup {
  /** As PyTorch has them (lr, betas, …), without the parameters. */
  readonly options: ReadonlyMap<string, TorchValue>;
  readonly parameters: readonly string[];
}

/** The state of an optimizer of PyTorch's, by the names of the parameters. */
export interface OptimizerState {
  readonly groups: readonly ParameterGroup[];
  /** Parameters without an update so far are not in it. */
  readonly states: ReadonlyMap<string, ParameterState>;
  /** Whether the parameters were given by name, not by number alone. */
  readonly named: boolean;
  /** What was taken for granted of which state belongs to which parameter. */
  readonly assumed: string;
}

/**
 * State tensors of a parameter's shape, and what becomes of them if all gradients are multiplied by c: they are multiplied
 * by c to this power.
 */
export const slotDegrees: ReadonlyMap<string, 1 | 2> = new Map([
  ["exp_avg", 1],
  ["exp_avg_sq", 2],
  ["max_exp_avg_sq", 2],
  ["momentum_buffer", 1],
]);

/** The count of updates, one for a whole tensor. */
export const stepName = "step";
