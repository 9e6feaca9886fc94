import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { operators } from "../../src/ops/index.ts";
import { checkGradient } from "./gradient-harness.ts";
import { type Cases, differentiableCases } from "./operator-cases.ts";

/** Operators whose gradients are checked in separate tests. */
const elsewhere: readonly string[] = [
  "AveragePool",
  "BatchNormalization",
  "Conv",
  "ConvTranspose",
  "Dropout",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "LayerNormalization",
  "LogSoftmax",
  "MaxPool",
  "NegativeLogLikelihoodLoss",
  "Resize",
  "Softmax",
  "SoftmaxCrossEntropyLoss",
  "Upsample",
];
/** Operators whose derivative is 0 wherever it exists. */
const flat: readonly string[] = ["Ceil", "Floor", "Hardmax", "Round", "Sign"];

describe("gradient rules agree with central differences", () => {
  for (const [op, arbitrary] of Object.entries(differentiableCases)) {
    it(op, async () => {
      await fc.assert(
        fc.asyncProperty(arbitrary as Cases, async (test) => {
          await checkGradient(test);
        }),
        { numRuns: 40 },
      );
    });
  }

  it("for every operator that has one", () => {
    const missing = Object.entries(operators)
      .filter(([op, { gradient }]) => gradient !== "none" && !Object.hasOwn(differentiableCases, op))
      .map(([op]) => op)
      .filter((op) => !elsewhere.includes(op) && !flat.includes(op));
    expect(missing).toEqual([]);
  });
});
