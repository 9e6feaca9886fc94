import { describe, expect, it } from "vitest";
import { reshapingModel } from "../../../test/fixtures/reshaping-model.ts";
import { mlp } from "../../nn/mlp.ts";
import { findWidths } from "../find/widths.ts";
import { type Growth, grow, replay } from "./grow-model.ts";
import { fingerprintOf, planDocument, readPlan } from "./plan-file.ts";

const model = mlp([4, 6, 5, 3]);
const sizes = (grown: typeof model) =>
  Object.fromEntries(findWidths(grown).map(({ id, size }) => [id, size]));

describe("grow", () => {
  it("widens by units and by factors, one after the other", () => {
    const grown = grow(model, [
      { width: "hidden1", by: 2 },
      { width: "hidden2", times: 1.2 },
      { width: "hidden1", times: 2 },
    ]);
    expect(sizes(grown.model)).toMatchObject({ hidden1: 16, hidden2: 6 });
    expect(
      grown.steps.map((step) => (step.kind === "depth" ? [] : [step.width, step.from, step.to])),
    ).toEqual([
      ["hidden1", 6, 8],
      ["hidden2", 5, 6],
      ["hidden1", 8, 16],
    ]);
    expect(sizes(model)).toMatchObject({ hidden1: 6, hidden2: 5 });
  });

  it("widens all widths that can grow, and says which it left", () => {
    const { model: grown, left } = grow(model, [{ width: "all", times: 2 }]);
    expect(sizes(grown)).toMatchObject({ hidden1: 12, hidden2: 10, output: 3 });
    expect(left).toEqual([{ width: "output", reason: expect.stringContaining("output") }]);
    // 5 × 1.5 is not a whole number, 6 × 1.5 is.
    const half = grow(model, [{ width: "all", times: 1.5 }]);
    expect(sizes(half.model)).toMatchObject({ hidden1: 9, hidden2: 5 });
    expect(half.left.map(({ width }) => width)).toEqual(["hidden2", "output"]);
  });

  it("adds features, classes and blocks, and can replay that", () => {
    const { model: grown, steps } = grow(model, [
      { border: "input", by: 2 },
      { border: "output", times: 2 },
      { deepen: "hidden1", by: 2, hidden: 4 },
      { width: "hidden1.block2.in", by: 3 },
    ]);
    expect(grown.graph.inputs[0]?.shape.at(-1)).toBe(6);
    expect(grown.graph.outputs[0]?.shape.at(-1)).toBe(6);
    expect(sizes(grown)).toMatchObject({ "hidden1.block1.in": 4, "hidden1.block2.in": 7 });
    const text = JSON.stringify(planDocument(model, steps));
    expect(replay(model, readPlan(text, model))).toEqual(grown);
  });

  it.each<[Growth, string]>([
    [{ border: "input", name: "nobody", by: 1 }, "UNKNOWN_WIDTH"],
    [{ deepen: "nobody", by: 1 }, "UNKNOWN_WIDTH"],
    [{ deepen: "hidden1", by: 0 }, "ARGUMENT"],
    [{ deepen: "hidden1", by: 1e9 }, "TOO_LARGE"],
    [{ deepen: "hidden1", by: 1, hidden: 1e9 }, "TOO_LARGE"],
    [{ width: "hidden1", by: 1e12 }, "TOO_LARGE"],
    [{ width: "hidden1", times: 1.1 }, "ARGUMENT"],
    [{ width: "hidden1", times: 1 }, "ARGUMENT"],
    [{ width: "hidden1", times: 0.5 }, "ARGUMENT"],
    [{ width: "hidden1", by: 0 }, "ARGUMENT"],
    [{ width: "output", by: 1 }, "NOT_GROWABLE"],
    [{ width: "hidden9", by: 1 }, "UNKNOWN_WIDTH"],
    [{ width: "all", times: 1.01 }, "NOT_GROWABLE"],
  ])("refuses %o", (widening, code) => {
    expect(() => grow(model, [widening])).toThrow(expect.objectContaining({ code }));
  });
});

describe("a plan as JSON", () => {
  const text = (made = reshapingModel()) => {
    const { steps } = grow(made, [{ width: "inner", by: 3 }], { seed: 5 });
    return JSON.stringify(planDocument(made, steps));
  };

  it("grows the same model to the same bits again", () => {
    const made = reshapingModel();
    const grown = grow(made, [{ width: "inner", by: 3 }], { seed: 5 });
    expect(replay(made, readPlan(text(), made))).toEqual(grown.model);
  });

  it("is refused for another model, and if it is not a plan", () => {
    const refused = (given: string, made = reshapingModel()) =>
      expect(() => readPlan(given, made)).toThrow(expect.objectContaining({ code: "FORMAT" }));
    refused(text(), model);
    refused(text(grow(reshapingModel(), [{ width: "inner", by: 1 }]).model));
    refused("{");
    refused("null");
    refused(text().replace('"version":1', '"version":2'));
    refused(text().replace('"seed":5', '"seed":"5"'));
    refused(text().replace('"growths":[', '"growths":[7,'));
    refused(text().replace('"kind":"width"', '"kind":"height"'));
  });

  it("that was edited is refused, and the order of keys does not matter", () => {
    const made = reshapingModel();
    const [plan] = readPlan(text(), made);
    if (plan === undefined || plan.kind === "depth") throw new TypeError("no plan");
    expect(
      replay(made, [Object.fromEntries(Object.entries(plan).reverse()) as unknown as typeof plan]),
    ).toEqual(replay(made, [plan]));
    const [edit, ...edits] = plan.edits;
    if (edit === undefined) throw new TypeError("no edits");
    for (const changed of [
      { ...plan, edits },
      { ...plan, edits: [{ ...edit, fill: "draw" as const }, ...edits] },
      { ...plan, from: plan.from + 1, to: plan.to + 1 },
      { ...plan, extra: 1 },
      { ...plan, numbers: {} as never },
      { ...plan, edits: JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`) },
    ]) {
      expect(() => replay(made, [changed])).toThrow(expect.objectContaining({ code: "FORMAT" }));
    }
  });

  it("distinguishes models by the names, types and shapes of their parameters, not by their values", () => {
    expect(fingerprintOf(mlp([4, 6, 5, 3], { seed: 1 }))).toBe(fingerprintOf(model));
    expect(fingerprintOf(mlp([4, 6, 4, 3]))).not.toBe(fingerprintOf(model));
  });
});
