import { afterEach, describe, expect, it } from "vitest";
import { twoMoons } from "../../data/generated/two-moons.ts";
import { splitDataset } from "../../data/split.ts";
import { mlp } from "../../nn/mlp.ts";
import { adam } from "../../training/optimizers/adam.ts";
import { Trainer } from "../../training/trainer/trainer.ts";
import { Recorder, type RecorderOptions } from "./recorder.ts";

const { train, test } = splitDataset(twoMoons({ count: 200 }), 0.2);
const opened: Trainer[] = [];

async function start(options: Partial<RecorderOptions> = {}, learningRate = 0.01) {
  const trainer = await Trainer.create(mlp([2, 4, 2]), { optimizer: adam({ learningRate }), batchSize: 16 });
  opened.push(trainer);
  const recorder = new Recorder(trainer, train, { name: "arm", steps: 60, test, ...options });
  return { trainer, recorder };
}

afterEach(async () => {
  for (const trainer of opened.splice(0)) await trainer.dispose();
});

describe("Recorder", () => {
  it("diagnoses a stopped run as it is, and leaves what an earlier part recorded to the whole run", async () => {
    const events: number[] = [];
    const { recorder } = await start({
      diagnoseEvery: 60,
      growth: { events: [{ width: "hidden1", by: 3, at: 10 }] },
      events: { diagnosis: ({ step }) => void events.push(step) },
    });
    expect(await recorder.advance(20)).toBe("paused");
    const { diagnoses } = await recorder.finish();
    expect(diagnoses.map(({ step, widths }) => [step, widths[0]?.units])).toEqual([
      [10, 4],
      [20, 7],
    ]);
    expect(events).toEqual([10]);
  });

  it("grows at the step, measures before and after, and counts what it trained", async () => {
    const seen: string[] = [];
    const { trainer, recorder } = await start({
      evaluateEvery: 20,
      pointEvery: 10,
      diagnoseEvery: 60,
      checkpointEvery: 25,
      growth: {
        events: [
          { width: "hidden1", by: 3, at: 25 },
          { width: "hidden1", by: 2, at: 0 },
        ],
      },
      events: {
        point: ({ step }) => void seen.push(`point ${step}`),
        growth: ({ step }) => void seen.push(`growth ${step}`),
        diagnosis: ({ step }) => void seen.push(`diagnosis ${step}`),
        checkpoint: () => void seen.push("checkpoint"),
      },
    });
    expect(await recorder.advance()).toBe("complete");
    const arm = await recorder.finish();
    expect(seen).toEqual([
      "point 0",
      "growth 0",
      "checkpoint",
      "point 10",
      "point 20",
      "point 25",
      "diagnosis 25",
      "growth 25",
      "checkpoint",
      "point 30",
      "point 40",
      "point 50",
      "checkpoint",
      "point 60",
      "diagnosis 60",
    ]);
    expect(arm.points.map(({ widths }) => widths.hidden1)).toEqual([4, 6, 6, 6, 9, 9, 9, 9]);
    expect(arm.points.filter((point) => point.test !== undefined).map(({ step }) => step)).toEqual([
      0, 20, 40, 60,
    ]);
    expect(arm.growths.map(({ size }) => size)).toEqual([
      { before: 4, after: 6 },
      { before: 6, after: 9 },
    ]);
    expect(arm.growths.every(({ output }) => output.preserved)).toBe(true);
    expect(arm.parameters).toBe(trainer.parameterCount);
    expect(arm.points.at(-1)?.flops).toBe(trainer.progress.flops);
    expect(arm.final.accuracy).toBe((await trainer.evaluate(test)).accuracy);
    const seconds = arm.points.map((point) => point.seconds);
    expect(seconds).toEqual([...seconds].sort((a, b) => a - b));
  });

  it("averages the loss of the batches between two points", async () => {
    const losses: number[] = [];
    const { recorder } = await start({
      steps: 10,
      pointEvery: 10,
      evaluateEvery: 10,
      events: { step: ({ loss }) => void losses.push(loss) },
    });
    await recorder.advance();
    expect(losses.length).toBe(10);
    const mean = losses.reduce((sum, loss) => sum + loss / 10, 0);
    expect(recorder.points.at(-1)?.trainLoss).toBeCloseTo(mean, 12);
  });

  it("is the same run in one piece and in several", async () => {
    const growth = { events: [{ width: "hidden1", by: 2, every: 7, until: 9 }] };
    const whole = await start({ growth });
    await whole.recorder.advance();
    const pieces = await start({ growth });
    for (const until of [1, 7, 8, 30]) expect(await pieces.recorder.advance(until)).toBe("paused");
    await pieces.recorder.advance();
    const timeless = (recorder: Recorder) => recorder.points.map(({ seconds: _, ...point }) => point);
    expect(timeless(pieces.recorder)).toEqual(timeless(whole.recorder));
    const weights = (trainer: Trainer) =>
      [...trainer.model.graph.parameters.values()].map(({ data }) => data);
    expect(weights(pieces.trainer)).toEqual(weights(whole.trainer));
  });

  it("stops between two steps when it is asked to", async () => {
    const controller = new AbortController();
    const { trainer, recorder } = await start({
      events: {
        step: ({ step }) => {
          if (step === 13) controller.abort();
        },
      },
    });
    expect(await recorder.advance(60, controller.signal)).toBe("signal");
    expect(trainer.step).toBe(13);
    await recorder.flush();
    expect(recorder.points.at(-1)?.step).toBe(13);
  });

  it("stops early and returns to the best weights", async () => {
    const { trainer, recorder } = await start(
      { steps: 2000, evaluateEvery: 5, earlyStopping: { validation: test, patience: 3 } },
      0.3,
    );
    expect(await recorder.advance()).toBe("early stopping");
    const { best } = recorder;
    const scores = recorder.points.flatMap(({ step, validation }) =>
      validation === undefined ? [] : [{ step, score: validation.loss }],
    );
    const least = Math.min(...scores.map(({ score }) => score));
    expect(best).toEqual(scores.find(({ score }) => score === least));
    expect(trainer.step).toBe((best?.step ?? 0) + 15);
    expect((await recorder.finish()).final.loss).toBe(least);
    expect(await recorder.advance()).toBe("early stopping");
  });

  it("refuses a width that does not exist, before training", async () => {
    await expect(start({ growth: { events: [{ width: "hidden7", by: 1, at: 3 }] } })).rejects.toThrow(
      expect.objectContaining({ code: "UNKNOWN_WIDTH" }),
    );
  });
});
