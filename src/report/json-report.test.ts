import { expect, test } from "vitest";
import { sampleGrowth, sampleRun } from "../../test/report/sample-run.ts";
import { jsonReport } from "./json-report.ts";
import { growthLine, pointLine } from "./record/metrics-lines.ts";
import type { RunArm } from "./record/run-record.ts";

const run = sampleRun(3);

/** The same value with the keys of every object in reverse order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, turned(inner)]),
  );
}

test("JSON does not depend on the order of keys, and NaN is null", () => {
  const json = jsonReport(run);
  expect(jsonReport(turned(run) as typeof run)).toBe(json);
  const read = JSON.parse(json);
  expect(read.format).toBe("espalier-run");
  expect(read.arms[0].points[0].trainLoss).toBeNull();
  expect(read.arms[0].points[1]).toEqual(run.arms[0]?.points[1]);
  expect(json.endsWith("}\n")).toBe(true);
});

test("a line of metrics is one line with everything", () => {
  const [, point] = (run.arms[0] as RunArm).points;
  const name = 'two\nlines "and" quotes';
  const line = pointLine(name, { ...(point as NonNullable<typeof point>), trainLoss: Number.NaN });
  expect(line).not.toContain("\n");
  expect(JSON.parse(line)).toEqual({ kind: "point", arm: name, ...point, trainLoss: null });
});

test("a growth's line contains the whole record", () => {
  const growth = sampleGrowth(300, "hidden1", 8, 16);
  expect(JSON.parse(growthLine("grown", growth))).toEqual({ kind: "growth", arm: "grown", ...growth });
});
