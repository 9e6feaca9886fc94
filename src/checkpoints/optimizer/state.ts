import type { TorchValue } from "../../formats/torch/value.ts";
import type { DType } from "../../tensor/dtype.ts";

/** A tensor of an optimizer's state; its bytes are read on demand. */
export interface StateTensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Bytes of `count` elements from element `from` on. */
  readonly read: (from: number, count: number) => Uint8Array;
}

/** What an optimizer keeps for one parameter, by PyTorch's names. */
export type ParameterState = ReadonlyMap<string, StateTensor | number | null>;

/** Parameters that are updated with the same options. */
export interface ParameterGroup {
  /** PyTorch's options (lr, betas, …), without the parameters. */
  readonly options: ReadonlyMap<string, TorchValue>;
  readonly parameters: readonly string[];
}

/** The state of a PyTorch optimizer, by the names of the parameters. */
export interface OptimizerState {
  readonly groups: readonly ParameterGroup[];
  /** Parameters that have not been updated yet are absent. */
  readonly states: ReadonlyMap<string, ParameterState>;
  /** Whether the file named the parameters rather than only numbering them. */
  readonly named: boolean;
  /** What was assumed about which state belongs to which parameter. */
  readonly assumed: string;
}

/**
 * State tensors of a parameter's shape, and the power of c by which they are multiplied if all gradients are
 * multiplied by c.
 */
export const slotDegrees: ReadonlyMap<string, 1 | 2> = new Map([
  ["exp_avg", 1],
  ["exp_avg_sq", 2],
  ["max_exp_avg_sq", 2],
  ["momentum_buffer", 1],
]);

/** The count of updates, one per tensor. */
export const stepName = "step";
