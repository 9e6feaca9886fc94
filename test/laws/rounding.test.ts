import fc from "fast-check";
import { describe, it } from "vitest";
import { type Cases, operatorCases } from "./operator-cases.ts";
import { checkRounding } from "./rounding-harness.ts";

describe("rounding rules bound the distance to float64", () => {
  for (const [op, arbitrary] of Object.entries(operatorCases)) {
    it(op, async () => {
      await fc.assert(
        fc.asyncProperty(arbitrary as Cases, fc.constantFrom(0, 1e-6, 1e-3, 0.1), async (test, size) => {
          await checkRounding(test, size);
        }),
        { numRuns: 100 },
      );
    });
  }
});
