import { describe, expect, it } from "vitest";
import { diagnosisLine, readMetrics } from "./metrics-history.ts";
import { pointLine } from "./metrics-lines.ts";
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
const diagnosis = { step: 10, widths: [] };
const text = `${[0, 5, 10].map((step) => pointLine("run", point(step))).join("\n")}\n${diagnosisLine("run", diagnosis)}\n${pointLine("run", point(15))}\n`;

describe("metrics.jsonl", () => {
  it("is read back as it was written", () => {
    const history = readMetrics(text, 15, "metrics.jsonl");
    expect(history).toEqual({
      points: [0, 5, 10, 15].map(point),
      diagnoses: [diagnosis],
      text,
    });
  });

  it("is cut to a step", () => {
    const history = readMetrics(text, 9, "metrics.jsonl");
    expect(history.points).toEqual([point(0), point(5)]);
    expect(history.diagnoses).toEqual([]);
    expect(history.text).toBe(`${pointLine("run", point(0))}\n${pointLine("run", point(5))}\n`);
  });

  it("loses a last line that a crash cut off", () => {
    for (const length of [1, 20, 60]) {
      expect(readMetrics(text.slice(0, -length), 15, "m").points).toEqual([0, 5, 10].map(point));
    }
  });

  it("is refused with the line where it is something else", () => {
    expect(() => readMetrics(`${pointLine("run", point(0))}\n{"kind":"point"}\n`, 15, "m.jsonl")).toThrow(
      /m.jsonl, line 2/,
    );
    expect(() => readMetrics("nothing\n", 15, "m")).toThrow(expect.objectContaining({ code: "FORMAT" }));
  });
});
