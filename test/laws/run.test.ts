import { setTimeout as wait } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { twoMoons } from "../../src/data/generated/two-moons.ts";
import { splitDataset } from "../../src/data/split.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { platform as web } from "../../src/platform/web.ts";
import { adam } from "../../src/training/optimizers/adam.ts";
import { pacer } from "../../src/training/trainer/pacer.ts";
import type { RunEvent } from "../../src/training/trainer/run-event.ts";
import type { RunOptions } from "../../src/training/trainer/run-options.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";

const { train, test: validation } = splitDataset(twoMoons({ count: 120 }), 0.25);
const opened: Trainer[] = [];

async function start(): Promise<Trainer> {
  const optimizer = adam({ learningRate: 0.05 });
  const trainer = await Trainer.create(mlp([2, 4, 2]), { optimizer, batchSize: 16 });
  opened.push(trainer);
  return trainer;
}

const timed = new Set(["seconds", "pauseMs"]);

/** Weights, step and growths, which are equal if two runs are. */
const standOf = ({ model, progress }: Trainer) => ({
  weights: [...model.graph.parameters].map(([name, { data }]) => [name, [...(data as Float32Array)]]),
  progress: JSON.stringify(progress, (key, value) => (timed.has(key) ? undefined : value)),
});

const told: RunOptions = {
  steps: 60,
  validation,
  validateEvery: 5,
  checkpointEvery: 20,
  earlyStopping: { patience: 4 },
  growth: { events: [{ width: "hidden1", by: 2, every: 12 }] },
};

afterEach(async () => {
  for (const trainer of opened.splice(0)) await trainer.dispose();
});

describe("a run", () => {
  it("iterated by hand equals fit, and reports the same events in order", async () => {
    const [fitted, iterated] = [await start(), await start()];
    const called: string[] = [];
    const result = await fitted.fit(train, {
      ...told,
      onStep: ({ step }) => void called.push(`step ${step}`),
      onValidation: (_, { step }) => void called.push(`evaluation ${step}`),
      onDecision: ({ step }, growths) => void called.push(`growth ${step} ${growths.length}`),
      onCheckpoint: (step) => void called.push(`checkpoint ${step}`),
    });
    const seen: string[] = [];
    let end: RunEvent | undefined;
    for await (const event of iterated.run(train, told)) {
      end = event;
      if (event.kind === "growth") seen.push(`growth ${event.decision.step} ${event.growths.length}`);
      else if (event.kind !== "decision" && event.kind !== "end") seen.push(`${event.kind} ${event.step}`);
    }
    expect(seen).toEqual(called);
    expect(seen.filter((text) => text.startsWith("growth"))).toEqual(
      [12, 24, 36, 48].map((step) => `growth ${step} 1`),
    );
    expect(seen.filter((text) => text.startsWith("checkpoint"))).toEqual(
      [0, 20, 40].map((step) => `checkpoint ${step}`),
    );
    const { stoppedBy, step, best } = result;
    expect(end).toEqual({ kind: "end", stoppedBy, step, best });
    expect(standOf(iterated)).toEqual(standOf(fitted));
  });

  it("paused, stepped through and resumed equals the uninterrupted run, bit for bit", async () => {
    const [whole, broken] = [await start(), await start()];
    await whole.fit(train, told);
    const run = broken.run(train, told);
    const steps: number[] = [];
    let paused: () => void = () => {};
    const pausing = new Promise<void>((resolve) => {
      paused = resolve;
    });
    const done = (async () => {
      for await (const event of run) {
        if (event.kind !== "step") continue;
        steps.push(event.step);
        if (event.step === 13) run.pause().then(paused);
      }
    })();
    await pausing;
    expect(steps.at(-1)).toBe(13);
    expect(run.paused).toBe(true);
    await run.pause();
    // What a page does in the meantime changes nothing.
    await broken.evaluate(validation);
    await run.step();
    expect(steps.at(-1)).toBe(14);
    await Promise.all([run.step(), run.step()]);
    expect(steps.at(-1)).toBe(16);
    run.resume();
    await done;
    await run.pause();
    expect(standOf(broken)).toEqual(standOf(whole));
  });

  it("handles a signal within one step, from the event loop too, and while it is paused", async () => {
    const trainer = await start();
    const stop = new AbortController();
    let asked = 0;
    const result = await trainer.fit(train, {
      steps: 1000,
      signal: stop.signal,
      onStep: ({ step }) => {
        if (step !== 7) return;
        setImmediate(() => {
          asked = trainer.step;
          stop.abort();
        });
      },
    });
    expect(result.stoppedBy).toBe("signal");
    expect(asked).toBeGreaterThan(0);
    expect(result.step - asked).toBeLessThanOrEqual(1);

    const later = new AbortController();
    const run = trainer.run(train, { steps: 1000, signal: later.signal });
    run.pause();
    const next = run.next();
    later.abort();
    expect(await next).toEqual({
      done: false,
      value: { kind: "end", step: result.step, stoppedBy: "signal" },
    });
    expect(await run.next()).toEqual({ done: true, value: undefined });
  });

  it("continues after a signal as if there had been none", async () => {
    const [whole, broken] = [await start(), await start()];
    const { earlyStopping: _, ...plain } = told;
    await whole.fit(train, { ...plain, steps: 30 });
    const stop = new AbortController();
    await broken.fit(train, {
      ...plain,
      steps: 30,
      signal: stop.signal,
      onStep: ({ step }) => {
        if (step === 12) stop.abort();
      },
    });
    expect(broken.step).toBe(12);
    await broken.fit(train, { ...plain, steps: 18 });
    expect(standOf(broken).weights).toEqual(standOf(whole).weights);
  });

  it("is refused while another run trains the trainer, which then continues unharmed", async () => {
    const [alone, shared] = [await start(), await start()];
    await alone.fit(train, { steps: 20 });
    const first = shared.fit(train, { steps: 20 });
    await expect(shared.fit(train, { steps: 5 })).rejects.toThrow(expect.objectContaining({ code: "BUSY" }));
    await first;
    expect(standOf(shared)).toEqual(standOf(alone));
    await expect(
      shared.fit(train, { steps: 3, onStep: () => shared.fit(train, { steps: 1 }).then(() => {}) }),
    ).rejects.toThrow(/one run at a time/);
    const run = shared.run(train, { steps: 5 });
    await run.next();
    await expect(shared.fit(train, { steps: 1 })).rejects.toThrow(/run\.return\(\)/);
    await run.return();
    for await (const { kind } of shared.run(train, { steps: 5 })) if (kind === "step") break;
    await shared.fit(train, { steps: 1 });
  });

  it("does nothing before the first event is requested, and refuses options at once", async () => {
    const trainer = await start();
    trainer.run(train, { steps: 5 });
    await wait(5);
    expect(trainer.step).toBe(0);
    expect(() => trainer.run(train, {})).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
    expect(() => trainer.run(train, { steps: 5, earlyStopping: { patience: 2 } })).toThrow(/validation/);
  });
});

describe("the page's turn", () => {
  it("comes about every 8 ms, and never outside a page", async () => {
    let clock = 0;
    let turns = 0;
    const pace = pacer(
      async () => void turns++,
      () => clock,
    );
    for (; clock < 80; clock += 3) await pace();
    // With steps of 3 ms, every third is the first to pass 8 ms.
    expect(turns).toBe(8);
    expect(pacer(undefined)()).toBeUndefined();
  });

  it("is a turn of the event loop, in which other events are handled", async () => {
    let heard = false;
    setImmediate(() => {
      heard = true;
    });
    for (let turn = 0; turn < 3; turn++) await web.turn?.();
    expect(heard).toBe(true);
  });
});
