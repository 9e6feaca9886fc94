import { describe, expect, test } from "vitest";
import { compile } from "../../src/models/compile.ts";
import { newGraph } from "../../src/ops/index.ts";
import { float32, type Tensor, zeros } from "../../src/tensor/tensor.ts";
import { type OptimizerName, optimizers } from "../../src/training/optimizers/index.ts";
import { type Optimizer, slotsOf } from "../../src/training/optimizers/optimizer.ts";

const dims = [3, 2];
const start = [0.5, -0.25, 0.125, 1, -0.75, 0.3];
const gradientAt = (step: number) =>
  float32(
    dims,
    start.map((_, at) => {
      const [row, column] = [Math.floor(at / 2), at % 2];
      return Math.cos(2 * row + column + step) * (1 + 0.5 * column);
    }),
  );

const { sgd, adam, adamw, lion, rmsprop, adagrad, muon } = optimizers;
const learningRate = 0.05;

/**
 * A new optimizer gets its values here: the compiler asks for them. A parameter after six updates, by PyTorch in float64;
 * Lion by the formula of Chen et al. (2023), Muon by Jordan's code, which is not in bfloat16 here.
 */
const cases: Readonly<Record<OptimizerName, readonly [Optimizer, readonly number[]][]>> = {
  sgd: [
    [
      sgd({ learningRate, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
      [0.4253572, -0.03470234, 0.34589318, 1.13673203, -0.85760057, -0.03879819],
    ],
  ],
  adam: [
    [
      adam({ learningRate, weightDecay: 0.01 }),
      [0.40264846, -0.2264961, 0.29971431, 1.10732842, -0.75013626, 0.12084901],
    ],
  ],
  adamw: [
    [
      adamw({ learningRate, weightDecay: 0.1 }),
      [0.3913473, -0.21918722, 0.29321995, 1.07688949, -0.73128034, 0.11546002],
    ],
  ],
  lion: [
    [
      lion({ learningRate, weightDecay: 0.1 }),
      [0.48592134, -0.2433431, 0.11906897, 0.96963743, -0.72702941, 0.19433685],
    ],
  ],
  rmsprop: [
    [
      rmsprop({
        learningRate,
        alpha: 0.9,
        momentum: 0.5,
        centered: true,
        weightDecay: 0.01,
        epsilon: 1e-6,
      }),
      [0.37869396, -0.12849146, 0.64282774, 1.1497107, -0.83509723, -0.28340427],
    ],
    [rmsprop({ learningRate }), [0.36475655, -0.17953906, 0.72018236, 1.169392, -0.7963101, -0.38824804]],
  ],
  adagrad: [
    [
      adagrad({ learningRate, rateDecay: 0.1, initial: 0.2, weightDecay: 0.01 }),
      [0.47850378, -0.24251425, 0.17563768, 1.02592559, -0.75285869, 0.23958235],
    ],
  ],
  muon: [
    [
      muon({ learningRate, weightDecay: 0.1 }),
      [0.42927599, -0.18765771, 0.20573725, 0.96723596, -0.74214857, 0.23878686],
    ],
  ],
};

/** The parameter after six updates of the graph that the optimizer writes. */
async function updated(optimizer: Optimizer): Promise<Tensor> {
  const graph = newGraph();
  const input = (name: string, shape: readonly number[]) => graph.input(name, { dtype: "float32", shape });
  const slotNames = slotsOf(optimizer, dims.length).map(({ name }) => input(`slot ${name}`, dims));
  const factorNames = optimizer.factors.map((_, index) => input(`factor ${index}`, []));
  const outputs = optimizer.emit({
    graph,
    parameter: input("parameter", dims),
    gradient: input("gradient", dims),
    slots: slotNames,
    factors: factorNames,
  });
  const session = await compile(graph, outputs, {});
  let parameter: Tensor = float32(dims, start);
  let slots: readonly Tensor[] = slotNames.map(() => zeros("float32", dims));
  for (let step = 0; step < 6; step++) {
    const factors = optimizer.factors.map(({ of }) => float32([], [of(step + 1, learningRate, 1)]));
    const feeds = {
      parameter,
      gradient: gradientAt(step),
      ...Object.fromEntries(slotNames.map((name, at) => [name, slots[at] as Tensor])),
      ...Object.fromEntries(factorNames.map((name, at) => [name, factors[at] as Tensor])),
    };
    const results = await session.run(feeds, Object.fromEntries(outputs.map((name) => [name, null])));
    const [next, ...others] = outputs.map((name) => results[name] as Tensor);
    parameter = next as Tensor;
    slots = others;
  }
  await session.release();
  return parameter;
}

describe.each(Object.entries(cases))("optimizer %s", (_, list) => {
  test.each(list)("$name moves a parameter as the reference does: $options", async (optimizer, expected) => {
    const { data } = await updated(optimizer);
    expected.forEach((value, at) => {
      expect(data[at], `entry ${at}`).toBeCloseTo(value, 5);
    });
  });
});
