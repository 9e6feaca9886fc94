import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkFlow } from "./flow-harness.ts";
import { type Cases, operatorCases } from "./operator-cases.ts";

/** Operators whose flow rule carries nothing: whatever reaches them is refused. */
const closed = [
  "And",
  "ArgMax",
  "Equal",
  "GatherElements",
  "Greater",
  "GreaterOrEqual",
  "Less",
  "LessOrEqual",
  "Not",
  "Or",
  "ScatterElements",
  "ScatterND",
];

describe("growing what a flow rule ties together gives the old result at the old positions", () => {
  for (const [op, arbitrary] of Object.entries(operatorCases)) {
    it(op, async () => {
      const outcomes = new Map<string, number>();
      const pick = fc.record({ axis: fc.nat(20), layout: fc.nat(20), by: fc.integer({ min: 1, max: 3 }) });
      await fc.assert(
        fc.asyncProperty(arbitrary as Cases, pick, async (test, choice) => {
          const outcome = await checkFlow(test, choice);
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }),
        { numRuns: 60 },
      );
      if (process.env.FLOW) console.log(op, outcomes);
      expect(outcomes.get("grown") !== undefined, "the rule carries something").toBe(!closed.includes(op));
    });
  }
});
