import { expect, it } from "vitest";
import type { ControllerDecision } from "../../training/policy/state.ts";
import { undoneTrials } from "./undone-trials.ts";

it("charges undone trials from their growth on, but not those that were kept", () => {
  const told: [ControllerDecision["action"], number][] = [
    ["grow", 10],
    ["undo", 17],
    ["skip", 20],
    ["grow", 30],
    ["keep", 45],
    ["grow", 50],
    ["undo", 55],
  ];
  const decisions = told.map(([action, flops]) => ({ step: 1, action, growths: [], why: "", flops }));
  expect(undoneTrials(decisions)).toEqual({ count: 2, flops: 12 });
  expect(undoneTrials()).toEqual({ count: 0, flops: 0 });
});
