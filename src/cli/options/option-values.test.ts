import { describe, expect, it } from "vitest";
import { decimal, oneOf, sizes, wholeNumber } from "./option-values.ts";

const usage = expect.objectContaining({ code: "USAGE", thing: "--x" });

describe("option values", () => {
  it("reads whole numbers", () => {
    expect(wholeNumber("--x", "12")).toBe(12);
    for (const text of ["0", "-1", "1.5", "1e3", "", " 1", "0x10", "NaN", "Infinity", "9007199254740993"])
      expect(() => wholeNumber("--x", text), text).toThrow(usage);
  });

  it("reads numbers in a range", () => {
    expect(decimal("--x", "1e-3", { above: 0 })).toBe(0.001);
    expect(decimal("--x", ".5", { above: 0, below: 1 })).toBe(0.5);
    expect(decimal("--x", "0", { least: 0 })).toBe(0);
    for (const text of ["0", "1", "-0.5", "abc", "", "0x1", "Infinity", "1e999", "1,5"])
      expect(() => decimal("--x", text, { above: 0, below: 1 }), text).toThrow(usage);
  });

  it("reads lists of sizes", () => {
    expect(sizes("--x", "64,8, 10")).toEqual([64, 8, 10]);
    for (const text of ["", "8,", "8,x", "0", "8,-1", "8;9", "1.5"])
      expect(() => sizes("--x", text), text).toThrow(usage);
  });

  it("reads names regardless of case and hyphens", () => {
    expect(oneOf("--x", "cross-entropy", ["crossEntropy", "meanSquaredError"])).toBe("crossEntropy");
    expect(() => oneOf("--x", "mse", ["crossEntropy"])).toThrow(/one of crossEntropy/);
  });
});
