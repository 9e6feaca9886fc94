import type { Tensor } from "../../tensor/tensor.ts";

/** At most one axis that is longer than 1: a bias, a scale, in whatever shape it broadcasts. */
export function isVector({ dims }: Tensor): boolean {
  return dims.filter((size) => size > 1).length <= 1;
}

/** Whether all elements are equal, as in the biases and scales of an untrained layer. */
export function isUniform({ data }: Tensor): boolean {
  const values = data as ArrayLike<number | bigint>;
  for (let at = 1; at < values.length; at++) {
    if (values[at] !== values[0]) return false;
  }
  return true;
}
