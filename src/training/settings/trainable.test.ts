import { describe, expect, it } from "vitest";
import { twoMoons } from "../../data/generated/two-moons.ts";
import { mlp } from "../../nn/mlp.ts";
import { Trainer } from "../trainer/trainer.ts";
import { frozenOf } from "./trainable.ts";

const model = mlp([2, 4, 3, 2], { batchNorm: true });

describe("which parameters train", () => {
  it("follows names, patterns and predicates, and does not count statistics as parameters", () => {
    expect(frozenOf(model, {})).toEqual([]);
    expect(frozenOf(model, { frozen: ["hidden1*"] }).every((name) => name.startsWith("hidden1"))).toBe(true);
    expect(frozenOf(model, { frozen: ["hidden1.weight"] })).toEqual(["hidden1.weight"]);
    const all = frozenOf(model, { trainable: (name) => name === "output.bias" });
    expect(all).toContain("output.weight");
    expect(all).not.toContain("output.bias");
    expect(frozenOf(model, { trainable: ["output.*"], frozen: ["*.bias"] })).toEqual(
      [...all, "output.bias"].filter((name) => name !== "output.weight"),
    );
    expect(all.some((name) => /mean|variance/.test(name))).toBe(false);
  });

  it.each([{ frozen: ["conv*"] }, { trainable: ["hidden1"] }, { frozen: ["*"] }, { trainable: [] }])(
    "refuses %o",
    (options) => {
      expect(() => frozenOf(model, options)).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
    },
  );

  it.each(["kernel", "graph"] as const)(
    "leaves frozen parameters to the bit, by %s, through growth and resuming",
    async (update) => {
      const data = twoMoons();
      const options = { frozen: ["hidden1.*"], update };
      const trainer = await Trainer.create(mlp([2, 4, 3, 2]), options);
      const before = trainer.model.graph.parameters;
      await trainer.fit(data, { steps: 5 });
      await trainer.widen("hidden2", { by: 2 });
      const resumed = await Trainer.resume(await trainer.checkpoint());
      await resumed.fit(data, { steps: 10 });
      const after = resumed.model.graph.parameters;
      expect(resumed.settings.frozen).toEqual(["hidden1.weight", "hidden1.bias"]);
      expect(after.get("hidden1.weight")).toEqual(before.get("hidden1.weight"));
      expect(after.get("hidden1.bias")).toEqual(before.get("hidden1.bias"));
      expect(after.get("hidden2.weight")?.dims).toEqual([5, 4]);
      expect(after.get("output.bias")).not.toEqual(before.get("output.bias"));
      expect(trainer.parameterCount).toBe(5 * 4 + 5 + 2 * 5 + 2);
      await trainer.dispose();
      await resumed.dispose();
    },
  );
});
