import { expect, test } from "vitest";
import { mlp } from "../../nn/mlp.ts";
import { exactRuleOf } from "./exact-rule.ts";
import { type Growth, grow } from "./grow-model.ts";

const ruleOf = (growth: Growth, strategy = "random") =>
  grow(mlp([4, 4, 2]), [growth], { strategy }).steps.map(exactRuleOf)[0];

test("every growth says by which rule it is exact, and on what condition", () => {
  expect(ruleOf({ width: "hidden1", by: 2 })?.rule).toContain("the weights that read the new units are zero");
  expect(ruleOf({ width: "hidden1", by: 2 })?.condition).toContain("finite");
  expect(ruleOf({ width: "hidden1", by: 2 }, "paired")?.rule).toContain("paired: ");
  expect(ruleOf({ border: "output", by: 1 })?.rule).toContain("follow them");
  expect(ruleOf({ deepen: "hidden1", by: 1 })?.rule).toContain("block");
});
