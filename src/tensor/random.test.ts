import { expect, test } from "vitest";
import { Random } from "./random.ts";

test.each([0, 1, 3, 4, 7, 64, 785])(
  "filling %i entries gives what as many single draws give, and goes on there",
  (count) => {
    const [one, many] = [new Random(7, "draws", 3), new Random(7, "draws", 3)];
    const filled = new Float32Array(count);
    many.fillUniform(filled);
    expect([...filled]).toEqual(Array.from({ length: count }, () => one.uniform()));
    expect(many.uniform()).toBe(one.uniform());
    many.fillUniform(filled);
    expect([...filled]).toEqual(Array.from({ length: count }, () => one.uniform()));
  },
);
