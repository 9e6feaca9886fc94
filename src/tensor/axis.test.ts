import { expect, test } from "vitest";
import { take, takesTo } from "./axis.ts";
import { float32, type Tensor } from "./tensor.ts";

const tensor = float32([2, 4, 2], [0, 1, -0, Number.NaN, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
const choices: [axis: number, indices: number[]][] = [
  [0, [1]],
  [1, [0, 1, 3]],
  [1, [3, 2, -1, 0]],
  [2, [1]],
];

test.each(choices)("takesTo predicts what take gives on axis %i, bit for bit", (axis, indices) => {
  const taken = take(tensor, axis, indices) as Tensor<"float32">;
  expect(takesTo(tensor, axis, indices, taken)).toBe(true);
  for (let at = 0; at < taken.data.length; at++) {
    const data = taken.data.slice();
    const bits = new Int32Array(data.buffer);
    bits[at] = ~(bits[at] as number);
    expect(takesTo(tensor, axis, indices, { ...taken, data })).toBe(false);
  }
  expect(takesTo(tensor, axis, indices, { ...taken, dims: [...taken.dims, 1] })).toBe(false);
});
