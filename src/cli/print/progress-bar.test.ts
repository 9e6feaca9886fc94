import { describe, expect, it } from "vitest";
import type { CliIo } from "./io.ts";
import { barLine, ProgressBar, type ProgressState, progressText } from "./progress-bar.ts";

const state: ProgressState = {
  step: 450,
  steps: 1000,
  loss: 0.41234,
  test: { step: 450, scores: { loss: 0.5, accuracy: 0.921 } },
  metric: "accuracy",
  widths: { hidden1: 24 },
  examplesPerSecond: 52_340,
  secondsLeft: 63,
};

function fakeIo(columns: number | undefined): { io: CliIo; written: string[] } {
  const written: string[] = [];
  return {
    written,
    io: {
      out: () => {},
      err: (text) => void written.push(text),
      columns: () => columns,
      onSignal: () => () => {},
      exit: () => {},
      now: () => "",
    },
  };
}

describe("the progress bar", () => {
  it("says loss, metric, width, speed and time left", () => {
    expect(progressText(state)).toBe(
      "step 450/1000  loss 0.412  accuracy 92.1 %  hidden1 24  52.3k examples/s  1:03 left",
    );
  });

  it("says which step a metric is from, if it is an earlier one", () => {
    const earlier = { step: 400, scores: { loss: 0.5, accuracy: 0.9 } };
    expect(progressText({ ...state, test: earlier })).toContain("accuracy 90.0 % (step 400)");
  });

  it("gives up speed, widths and metric, in that order, before the time left", () => {
    expect(barLine(state, 76)).toMatch(/accuracy 92.1 % {2}hidden1 24 {2}1:03 left$/);
    expect(barLine(state, 64)).toMatch(/loss 0.412 {2}accuracy 92.1 % {2}1:03 left$/);
    expect(barLine(state, 46)).toMatch(/step 450\/1000 {2}loss 0.412 {2}1:03 left$/);
  });

  it("does not repeat tenths that an earlier part of the run has done", () => {
    const { io, written } = fakeIo(undefined);
    const bar = new ProgressBar(io, 0.6);
    bar.update(0, 0.61, () => state);
    expect(written).toEqual([]);
    bar.update(1, 0.7, () => state);
    expect(written.length).toBe(1);
  });

  it("never fills the last column", () => {
    for (const columns of [1, 10, 40, 80, 120, 200])
      expect(barLine(state, columns).length).toBeLessThanOrEqual(Math.max(1, columns - 1));
    expect(barLine(state, 120)).toContain("1:03 left");
  });

  it("redraws one line at most ten times a second on a terminal", () => {
    const { io, written } = fakeIo(100);
    const bar = new ProgressBar(io);
    for (let now = 0; now < 1000; now += 5) bar.update(now, now / 1000, () => state);
    expect(written.length).toBe(10);
    expect(written.every((text) => text.startsWith("\r\u001b[2K") && !text.includes("\n"))).toBe(true);
    bar.note("grown");
    expect(written.slice(-2)).toEqual(["\r\u001b[2K", "grown\n"]);
  });

  it("writes plain lines at each tenth or five seconds elsewhere", () => {
    const { io, written } = fakeIo(undefined);
    const bar = new ProgressBar(io);
    for (let step = 1; step <= 1000; step++) bar.update(step, step / 1000, () => state);
    expect(written.length).toBe(10);
    for (let now = 1000; now <= 16_000; now += 10) bar.update(now, 1, () => state);
    expect(written.length).toBe(13);
    for (const control of ["\r", "\u001b"]) expect(written.join("")).not.toContain(control);
  });
});
