import { describe, expect, test } from "vitest";
import type { Dataset } from "../dataset.ts";
import { spirals } from "./spirals.ts";
import { studentTeacher } from "./student-teacher.ts";
import { twoMoons } from "./two-moons.ts";
import { xor } from "./xor.ts";

const points = (data: Dataset) =>
  Array.from({ length: data.count }, (_, at) => ({
    x: data.features[2 * at]!,
    y: data.features[2 * at + 1]!,
    label: data.labels![at]!,
  }));

describe.each<[string, (options: { count?: number; noise?: number; seed?: number }) => Dataset]>([
  ["xor", xor],
  ["twoMoons", twoMoons],
  ["spirals", spirals],
  ["spirals of three arms", (options) => spirals({ arms: 3, ...options })],
  ["studentTeacher", studentTeacher],
])("%s", (_, make) => {
  test("is chosen by its seed alone", () => {
    expect(make({ seed: 3 })).toEqual(make({ seed: 3 }));
    expect(make({ seed: 3 }).features).not.toEqual(make({ seed: 4 }).features);
    expect(make({}).features).toEqual(make({ seed: 0 }).features);
  });

  test("has the stated size, in equal classes", () => {
    for (const count of [1, 2, 3, 7, 90]) {
      const data = make({ count });
      expect(data.count).toBe(count);
      if (data.labels === undefined) continue;
      const shares = Array.from(
        { length: data.classes! },
        (_, k) => data.labels!.filter((l) => l === k).length,
      );
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }
  });

  test.each([{ count: 0 }, { count: 1.5 }])("refuses %j", (options) => {
    expect(() => make(options)).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
  });
});

test("xor: class 1 if exactly one coordinate is 1; noise has the stated size", () => {
  const exact = points(xor({ count: 8, noise: 0 }));
  expect(new Set(exact.map(({ x, y }) => `${x},${y}`)).size).toBe(4);
  for (const { x, y, label } of exact) expect(label).toBe(x === y ? 0 : 1);
  const noisy = points(xor({ count: 4000, noise: 0.1 }));
  const squares = noisy.reduce(
    (sum, { x, y }) => sum + (x - Math.round(x)) ** 2 + (y - Math.round(y)) ** 2,
    0,
  );
  expect(Math.sqrt(squares / 8000)).toBeCloseTo(0.1, 2);
  expect(() => xor({ noise: -1 })).toThrow(/noise/);
});

test("twoMoons: without noise every point lies on its half circle, from end to end", () => {
  const exact = points(twoMoons({ count: 41, noise: 0 }));
  for (const { x, y, label } of exact) {
    const up = label === 0 ? y : 0.5 - y;
    expect(Math.hypot(label === 0 ? x : x - 1, up)).toBeCloseTo(1, 6);
    expect(up).toBeGreaterThan(-1e-6);
  }
  const ends = (label: number) => exact.filter((point) => point.label === label).map(({ x }) => x);
  expect(Math.min(...ends(0))).toBeCloseTo(-1, 6);
  expect(Math.max(...ends(1))).toBeCloseTo(2, 6);
});

test("spirals: arms are rotations of one another, reach radius 1 and do not meet", () => {
  const exact = points(spirals({ count: 90, arms: 3, noise: 0 }));
  for (let at = 0; at < exact.length; at += 3) {
    const [a, b] = [exact[at]!, exact[at + 1]!];
    const turn = (2 * Math.PI) / 3;
    expect(b.x).toBeCloseTo(a.x * Math.cos(turn) - a.y * Math.sin(turn), 5);
    expect(b.y).toBeCloseTo(a.x * Math.sin(turn) + a.y * Math.cos(turn), 5);
  }
  expect(Math.hypot(exact[89]!.x, exact[89]!.y)).toBeCloseTo(1, 6);
  expect(new Set(exact.map(({ x, y }) => `${x},${y}`)).size).toBe(90);
  expect(() => spirals({ arms: 0 })).toThrow(/arms/);
});

describe("studentTeacher", () => {
  test("is a ReLU network without biases: scaling an input by a positive number scales its target", () => {
    const data = studentTeacher({ inputs: 3, hidden: 4, outputs: 2, count: 5 });
    expect(data.featureDims).toEqual([3]);
    expect(data.targetDims).toEqual([2]);
    expect(data.targets).toHaveLength(10);
    expect(data.targets!.some((value) => value > 0) && data.targets!.some((value) => value < 0)).toBe(true);
  });

  test("draws standard normal inputs, and other samples from the same teacher", () => {
    const train = studentTeacher({ count: 4000 });
    const mean = train.features.reduce((sum, x) => sum + x, 0) / train.features.length;
    const square = train.features.reduce((sum, x) => sum + x * x, 0) / train.features.length;
    expect(mean).toBeCloseTo(0, 1);
    expect(square).toBeCloseTo(1, 1);
    expect(studentTeacher({ sampleSeed: 1 }).features).not.toEqual(train.features.subarray(0, 10_000));
  });

  test("one input, one neuron: the target is a multiple of max(0, x) or of max(0, -x)", () => {
    const make = (sampleSeed: number) =>
      studentTeacher({ inputs: 1, hidden: 1, outputs: 1, count: 50, sampleSeed });
    const slopes = (data: Dataset) =>
      [...data.targets!].flatMap((target, at) =>
        target === 0 ? [] : [target / Math.abs(data.features[at]!)],
      );
    const [first, second] = [slopes(make(1)), slopes(make(2))];
    expect(first.length).toBeGreaterThan(5);
    expect(first.length).toBeLessThan(45);
    // One slope for all samples of either seed: the teacher is the same.
    for (const slope of [...first, ...second]) expect(slope).toBeCloseTo(first[0]!, 6);
    expect(Math.abs(first[0]!)).toBeLessThan(1);
  });
});
