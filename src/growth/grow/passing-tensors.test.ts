import { expect, test } from "vitest";
import { full } from "../../tensor/tensor.ts";
import { PassingTensors } from "./passing-tensors.ts";

test("only tensors that a growth made and nothing uses are freed", () => {
  const [given, made, shared] = [full([512, 600], 1), full([512, 600], 2), full([512, 600], 3)];
  const passing = new PassingTensors();
  passing.made(
    new Map([
      ["weight", made],
      ["bias", shared],
      ["copy", given],
    ]),
    new Map([["weight", given]]),
  );
  passing.free([given, made, shared, undefined], new Map([["other", { ...shared, dims: [600, 512] }]]));
  expect([given, made, shared].map(({ data }) => data.length)).toEqual([307_200, 0, 307_200]);
});
