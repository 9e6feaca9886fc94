import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flowCases } from "./flow-cases.ts";
import { checkFlow } from "./flow-harness.ts";
import { type Cases, operatorCases } from "./operator-cases.ts";

/** Operators whose axis rule carries nothing: any width that reaches them is refused. */
const closed = ["ArgMax", "ArgMin", "MaxUnpool"];

const choices = fc.record({
  axis: fc.nat(20),
  layout: fc.nat(20),
  by: fc.integer({ min: 1, max: 3 }),
  // Few enough kinds that all inputs often have the same.
  contents: fc.oneof(
    fc.constantFrom("zero", "mean", "copy", "any").map((kind) => [kind] as const),
    fc.array(fc.constantFrom("zero", "mean", "copy", "part", "any"), { minLength: 5, maxLength: 5 }),
  ),
  seed: fc.nat(1e6),
});

/** All cases of each operator. */
const cases = new Map<string, Cases[]>();
for (const [op, arbitrary] of [...Object.entries(operatorCases), ...Object.entries(flowCases)]) {
  cases.set(op, [...(cases.get(op) ?? []), arbitrary]);
}

describe("growing the axes that an axis rule ties keeps the old result, and new units contain what the rule says", () => {
  for (const [op, arbitraries] of cases) {
    it(op, async () => {
      const outcomes = new Map<string, number>();
      await fc.assert(
        fc.asyncProperty(fc.oneof(...arbitraries), choices, async (test, choice) => {
          const outcome = await checkFlow(test, choice);
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }),
        { numRuns: 100 },
      );
      if (process.env.FLOW) console.log(op, outcomes);
      expect(outcomes.has("grown"), "the rule carries something").toBe(!closed.includes(op));
    });
  }
});
