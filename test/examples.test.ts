import { existsSync } from "node:fs";
import { afterAll, describe, expect, test, vi } from "vitest";

const log = vi.spyOn(console, "log").mockImplementation(() => {});
afterAll(() => log.mockRestore());

describe("examples", () => {
  test("minimal: the loss does not move, and learning goes on", async () => {
    const { grown, growth, small, trained } = await import("../examples/minimal.ts");
    expect(growth.size).toEqual({ before: 2, after: 16 });
    expect(growth.output.preserved).toBe(true);
    expect(Math.abs(grown.loss - small.loss)).toBeLessThan(1e-6);
    expect(trained.loss).toBeLessThan(0.7 * small.loss);
  });

  test("pitfalls: each wastes the new units in its own way, and random does not", async () => {
    const { outcomes } = await import("../examples/pitfalls.ts");
    const of = (strategy: string) => outcomes.find((outcome) => outcome.strategy === strategy);
    for (const { lossMoved } of outcomes) expect(Math.abs(lossMoved)).toBeLessThan(1e-5);
    expect(of("zeros")?.dead).toBe(8);
    expect(of("constant")?.identical).toBe(8);
    expect((of("halved")?.identical ?? 0) + (of("halved")?.collapsing ?? 0)).toBeGreaterThanOrEqual(8);
    expect(of("random")).toMatchObject({ dead: 0, identical: 0, collapsing: 0 });
  });

  test("resume: both runs end with the same weights", async () => {
    const { equal } = await import("../examples/resume.ts");
    expect(equal).toBe(true);
  });

  test("grow-model: an existing model grows, computes the same, and learns", async () => {
    const { verification, trained } = await import("../examples/grow-model.ts");
    expect(verification.preserved).toBe(true);
    expect(trained.accuracy).toBeGreaterThan(0.85);
  });

  const mnist = "../shared/data/mnist";
  test.skipIf(!existsSync(mnist))(
    "mnist-cnn: grows and reaches 98 % on the test set",
    { timeout: 300_000 },
    async () => {
      const { final, growths } = await import("../examples/mnist-cnn.ts");
      expect(growths.map(({ output }) => output.preserved)).toEqual([true, true, true, true]);
      expect(final.accuracy).toBeGreaterThanOrEqual(0.98);
    },
  );
});
