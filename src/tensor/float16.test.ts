import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "./float16.ts";
import { Random } from "./random.ts";

/**
 * The nearest binary16 by search among all 31,744 finite magnitudes; the even one if two are equally near.
 */
const sizes = Float64Array.from({ length: 0x7c00 }, (_, bits) => fromFloat16(bits));
function slowly(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  let [low, high] = [0, sizes.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((sizes[middle] as number) <= size) low = middle;
    else high = middle;
  }
  const [below, above] = [size - (sizes[low] as number), (sizes[high] as number) - size];
  if (below === above) return sign | (low % 2 === 0 ? low : high);
  return sign | (below < above ? low : high);
}

describe("16-bit floats", () => {
  it("every binary16 comes back from the number that it stands for", () => {
    for (let half = 0; half < 0x10000; half++) {
      const value = fromFloat16(half);
      if (Number.isNaN(value)) expect(Number.isNaN(fromFloat16(toFloat16(value)))).toBe(true);
      else expect(toFloat16(value)).toBe(half);
    }
  });

  it("every bfloat16 comes back too", () => {
    for (let half = 0; half < 0x10000; half++) {
      const value = fromBfloat16(half);
      if (!Number.isNaN(value)) expect(toBfloat16(value)).toBe(half);
    }
  });

  it("rounds to the nearest, ties to even", () => {
    expect(fromFloat16(toFloat16(1 + 2 ** -11))).toBe(1);
    expect(fromFloat16(toFloat16(1 + 3 * 2 ** -11))).toBe(1 + 2 ** -9);
    expect(fromFloat16(toFloat16(65519))).toBe(65504);
    expect(fromFloat16(toFloat16(65520))).toBe(Number.POSITIVE_INFINITY);
    fc.assert(
      fc.property(fc.float({ min: -60000, max: 60000, noNaN: true }), (value) => {
        const error = Math.abs(fromFloat16(toFloat16(value)) - value);
        expect(error).toBeLessThanOrEqual(Math.max(2 ** -25, Math.abs(value) * 2 ** -11));
      }),
    );
  });

  it("agrees with a search among all numbers, from subnormal ones to infinity", () => {
    const draws = new Random(7);
    for (let at = 0; at < 20_000; at++) {
      const value = (draws.uniform() - 0.5) * 2 ** (draws.integer(46) - 28);
      expect(toFloat16(value), String(value)).toBe(slowly(value));
    }
    for (let bits = 0; bits < 0x7bff; bits += 7) {
      const tie = (fromFloat16(bits) + fromFloat16(bits + 1)) / 2;
      for (const value of [tie, tie * (1 + 2 ** -50), tie * (1 - 2 ** -50), -tie]) {
        expect(toFloat16(value), String(value)).toBe(slowly(value));
      }
    }
    for (const value of [
      65504,
      65519.99,
      65520,
      1e9,
      Number.POSITIVE_INFINITY,
      2 ** -25,
      2 ** -25 * (1 + 2 ** -40),
    ]) {
      expect(toFloat16(value), String(value)).toBe(slowly(value));
    }
  });
});
