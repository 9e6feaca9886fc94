import { describe, expect, it } from "vitest";
import { Session } from "../../engine/session.ts";
import { mlp } from "../../nn/mlp.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { LossName } from "../losses/index.ts";
import { Trainer } from "../trainer/trainer.ts";

describe("predict gives the outputs of the saved model, whatever targets the loss needs", () => {
  const rows = [
    [1, -2, 0.5],
    [0, 3, -1],
  ];

  it.each(["crossEntropy", "binaryCrossEntropy", "meanSquaredError"] as const)(
    "%s",
    async (loss: LossName) => {
      const trainer = await Trainer.create(mlp([3, 5, 2]), { loss });
      const session = await Session.create(trainer.toBytes());
      const { output } = await session.run({ input: float32([2, 3], rows.flat()) }, { output: null });
      const predicted = await trainer.predict(rows);
      expect(predicted.dims).toEqual([2, 2]);
      expect(predicted.data).toEqual(output?.data);
      expect(await trainer.predict(float32([2, 3], rows.flat()))).toEqual(predicted);
      await session.release();
      await trainer.dispose();
    },
  );
});
