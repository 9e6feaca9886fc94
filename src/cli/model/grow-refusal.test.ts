import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { runCli, snapshot, withFolder } from "../../../test/cli-harness.ts";
import { saveModel } from "../../models/model-file.ts";
import { mlp } from "../../nn/mlp.ts";
import type * as Verify from "../../training/verification/verify.ts";

// No growth that we know of changes a model, so the check is made to say that one did.
vi.mock("../../training/verification/verify.ts", async (original) => {
  const real = await original<typeof Verify>();
  return {
    ...real,
    verifyModels: async (...args: Parameters<typeof real.verifyModels>) => ({
      ...(await real.verifyModels(...args)),
      outcome: "different",
      preserved: false,
      identical: false,
      maximum: 0.5,
    }),
  };
});

it("grow writes nothing if the check fails, and exits with 3", () =>
  withFolder(async (folder) => {
    const path = join(folder, "m.onnx");
    await saveModel(mlp([4, 6, 3]), path);
    const before = await snapshot(folder);
    const args = ["grow", path, "--widen", "hidden1=+2", "--save-plan", join(folder, "plan.json"), "--json"];
    const run = await runCli(args);
    expect(run.code).toBe(3);
    expect(run.err).toContain("NOT_PRESERVED");
    expect(JSON.parse(run.out)).toMatchObject({
      out: null,
      verification: { preserved: false },
      error: { code: "NOT_PRESERVED" },
    });
    expect(await snapshot(folder)).toEqual(before);
    expect((await runCli([...args, "--no-verify"])).code).toBe(0);
  }));
