import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Session } from "../../src/engine/session.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import { newGraph, operatorOf } from "../../src/ops/index.ts";
import { anything, between, type Interval } from "../../src/ops/rules/interval.ts";
import { intervalOf } from "../../src/ops/rules/interval-rules.ts";
import { GraphCall } from "../../src/ops/rules/operator.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { type GradientCase, modelOf } from "./gradient-harness.ts";
import { type Cases, operatorCases } from "./operator-cases.ts";

const infinity = Number.POSITIVE_INFINITY;

/**
 * The intervals that inputs are drawn from; ends are drawn often, and infinities if the interval allows them.
 */
const domains: readonly Interval[] = [
  between(-100, 100),
  between(0, 100),
  between(0.5, 3),
  between(-3, -0.5),
  between(-1, 1),
  between(0, 1),
  between(2, 2),
  between(-infinity, infinity, "infinite"),
  between(0, infinity, "infinite"),
];

const draw = (random: Random, { least, most, holds }: Interval): number => {
  const [low, high] = [Math.max(least, -100), Math.min(most, 100)];
  const kind = random.integer(6);
  if (kind === 0) return holds === "infinite" ? least : low;
  if (kind === 1) return holds === "infinite" ? most : high;
  return low + (high - low) * random.uniform();
};

/** Runs a case on inputs from these intervals, and checks the outputs against the rule. */
async function check(test: GradientCase, given: readonly Interval[], seed: number): Promise<void> {
  const random = new Random(seed, "intervals");
  // Inputs that are not ordinary numbers (variances, ratios, conditions) stay as in the case.
  const drawn = (index: number) =>
    test.inputs[index]?.dtype === "float32" &&
    (test.differentiable.length === 0 || test.differentiable.includes(index));
  const intervals = test.inputs.map((tensor, index) =>
    tensor === undefined ? undefined : drawn(index) ? (given[index % given.length] as Interval) : anything,
  );
  const inputs = test.inputs.map((tensor, index): Tensor | undefined =>
    tensor !== undefined && drawn(index)
      ? float32(
          tensor.dims,
          Array.from(tensor.data as Float32Array, () => draw(random, intervals[index] as Interval)),
        )
      : tensor,
  );
  const graph = newGraph();
  const feeds: Record<string, Tensor> = {};
  inputs.forEach((tensor, index) => {
    if (tensor === undefined) return;
    if (tensor.dtype === "int64") graph.parameter(`x${index}`, tensor);
    else {
      graph.input(`x${index}`, { dtype: tensor.dtype, shape: tensor.dims });
      feeds[`x${index}`] = tensor;
    }
  });
  const outputs = Array.from({ length: test.outputs ?? 1 }, (_, index) => `y${index}`);
  const node = {
    name: "checked",
    op: test.op,
    domain: test.domain ?? "",
    inputs: inputs.map((tensor, index) => (tensor === undefined ? "" : `x${index}`)),
    outputs,
    attributes: test.attributes ?? {},
  };
  graph.add(node);
  graph.output("y0");
  const said = intervalOf(operatorOf(node), intervals, new GraphCall(graph, node));
  const session = await Session.create(encodeModel(modelOf(test, graph, "interval")));
  const { y0 } = await session.run(feeds, { y0: null });
  await session.release();
  if (y0?.dtype !== "float32") return;
  const slack = (end: number) => 1e-5 + 1e-4 * Math.abs(end);
  for (const value of y0.data as Float32Array) {
    const where = `${test.op} of ${JSON.stringify(intervals)}: ${value}`;
    if (said.holds === "finite") expect(Number.isFinite(value), where).toBe(true);
    if (said.holds !== "nan") expect(value, where).not.toBeNaN();
    if (Number.isNaN(value)) continue;
    if (Number.isFinite(said.least))
      expect(value, where).toBeGreaterThanOrEqual(said.least - slack(said.least));
    if (Number.isFinite(said.most)) expect(value, where).toBeLessThanOrEqual(said.most + slack(said.most));
  }
}

describe("interval rules contain what ONNX Runtime computes", () => {
  for (const [op, cases] of Object.entries(operatorCases)) {
    it(op, async () => {
      const intervals = fc.array(fc.constantFrom(...domains), { minLength: 1, maxLength: 3 });
      await fc.assert(fc.asyncProperty(cases as Cases, intervals, fc.integer({ min: 0 }), check), {
        numRuns: 60,
      });
    });
  }
});
