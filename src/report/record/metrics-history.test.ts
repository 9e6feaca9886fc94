import { describe, expect, it } from "vitest";
import type { ControllerDecision } from "../../training/policy/state.ts";
import { diagnosisLine, readMetrics } from "./metrics-history.ts";
import { decisionLine, pointLine } from "./metrics-lines.ts";
import type { RunPoint } from "./run-record.ts";

const point = (step: number): RunPoint => ({
  step,
  flops: step * 1e6,
  seconds: step / 7,
  trainLoss: 1 / (step + 1),
  test: { loss: 0.1, accuracy: 0.5 },
  validation: { loss: 0.2, accuracy: 0.4 },
  widths: { hidden1: 8 },
});
const at = (step: number) => ({ step, undone: 0 });
const diagnosis = { step: 10, widths: [] };
const text = `${[0, 5, 10].map((step) => pointLine("run", point(step))).join("\n")}\n${diagnosisLine("run", diagnosis)}\n${pointLine("run", point(15))}\n`;

describe("metrics.jsonl", () => {
  it("is read back as it was written", () => {
    const history = readMetrics(text, at(15), "metrics.jsonl");
    expect(history).toEqual({
      points: [0, 5, 10, 15].map(point),
      diagnoses: [diagnosis],
      scores: [0, 5, 10, 15].map(point),
      text,
    });
  });

  it("is truncated to a step", () => {
    const history = readMetrics(text, at(9), "metrics.jsonl");
    expect(history.points).toEqual([point(0), point(5)]);
    expect(history.diagnoses).toEqual([]);
    expect(history.text).toBe(`${pointLine("run", point(0))}\n${pointLine("run", point(5))}\n`);
  });

  it("leaves out what was undone, and can be truncated to a moment before or after that", () => {
    const undo: ControllerDecision = {
      step: 15,
      action: "undo",
      growths: [{ width: "hidden1", by: 2 }],
      why: "it did not pay",
      backTo: 10,
      flops: 9,
    };
    const lines = [0, 10, 15].map((step) => pointLine("run", point(step)));
    const again = [{ ...point(12) }, { ...point(15) }, { ...point(20) }];
    const all = [...lines, decisionLine("run", undo), ...again.map((one) => pointLine("run", one))];
    const read = (step: number, undone: number) =>
      readMetrics(`${all.join("\n")}\n`, { step, undone }, "metrics.jsonl");
    const steps = (points: readonly RunPoint[]) => points.map(({ step }) => step);
    expect(steps(read(20, 1).points)).toEqual([0, 10, 12, 15, 20]);
    expect(steps(read(20, 1).scores)).toEqual([0, 10, 15, 12, 15, 20]);
    expect(steps(read(12, 1).points)).toEqual([0, 10, 12]);
    expect(read(12, 1).text).toBe(`${all.slice(0, 5).join("\n")}\n`);
    expect(steps(read(15, 0).points)).toEqual([0, 10, 15]);
    expect(read(12, 0).text).toBe(`${all.slice(0, 2).join("\n")}\n`);
  });

  it("drops a last line that a crash cut off", () => {
    for (const length of [1, 20, 60]) {
      expect(readMetrics(text.slice(0, -length), at(15), "m").points).toEqual([0, 5, 10].map(point));
    }
  });

  it("is refused with the line if it is something else", () => {
    expect(() => readMetrics(`${pointLine("run", point(0))}\n{"kind":"point"}\n`, at(15), "m.jsonl")).toThrow(
      /m.jsonl, line 2/,
    );
    expect(() => readMetrics("nothing\n", at(15), "m")).toThrow(expect.objectContaining({ code: "FORMAT" }));
  });
});
