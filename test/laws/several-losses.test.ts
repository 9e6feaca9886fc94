import { describe, expect, test } from "vitest";
import { type Dataset, dataset, subset } from "../../src/data/dataset.ts";
import { makeModel } from "../../src/graph/model.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { newGraph } from "../../src/ops/index.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { writeProgram } from "../../src/training/graphs/program.ts";
import { type LossName, losses } from "../../src/training/losses/index.ts";
import { mean } from "../../src/training/losses/loss.ts";
import { metrics } from "../../src/training/metrics/index.ts";
import { adamw } from "../../src/training/optimizers/adam.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import type { TrainerOptions } from "../../src/training/settings/options.ts";
import type { LossTerm } from "../../src/training/settings/task-options.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { stateText } from "./state-text.ts";

const draws = new Random(11, "several losses");
const normal = (length: number) => Float32Array.from({ length }, () => draws.normal());

/**
 * A trunk of six units from four numbers, and two heads: logits of three classes at two positions, and two numbers. On request it
 * computes a loss itself: the mean square of the hidden units.
 */
function twoHeaded(own = false) {
  const draws = new Random(12, "weights");
  const normal = (length: number) => Float32Array.from({ length }, () => draws.normal());
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 4] });
  const weight = (name: string, ...dims: number[]) =>
    graph.parameter(name, float32(dims, normal(dims.reduce((a, b) => a * b, 1))));
  const add = (op: string, inputs: readonly string[], output: string) => {
    graph.add({ name: output, op, domain: "", inputs, outputs: [output], attributes: {} });
    return output;
  };
  const trunk = graph.emit("Tanh", [graph.emit("MatMul", [x, weight("trunk", 4, 6)])]);
  const logits = graph.emit("MatMul", [trunk, weight("class.weight", 6, 6)]);
  graph.output(add("Reshape", [logits, graph.vector([0, 3, 2])], "class"));
  graph.output(add("MatMul", [trunk, weight("box.weight", 6, 2)], "box"));
  if (own) graph.output(mean(graph, graph.emit("Mul", [trunk, trunk])));
  return makeModel(graph.build("two heads"));
}
const model = twoHeaded();

const count = 12;
/** Some labels are ignored, in some examples all of them. */
const labels = Int32Array.from({ length: count * 2 }, (_, at) =>
  at % 5 === 1 || at > 19 ? -100 : (at * 7) % 3,
);
const features = normal(count * 4);
const numbers = normal(count * 2);
const kinds = { labels, labelDims: [2], classes: 3 };
const data = dataset({ features, featureDims: [4], ...kinds, targets: numbers, targetDims: [2] });
const terms: readonly LossTerm[] = [
  { output: "class", classWeights: [1, 2, 0.5] },
  { output: "box", loss: "meanSquaredError", weight: 0.5 },
];
const classOnly = { output: "class", classWeights: [1, 2, 0.5] };
const boxOnly = { output: "box", loss: "meanSquaredError" } as const;

const trained = (options: TrainerOptions, network = model) =>
  Trainer.create(network, { optimizer: sgd({ learningRate: 0.1 }), batchSize: count, ...options });

/** A trainer's evaluation, weights after one update, and weights before it. */
async function updated(options: TrainerOptions, from: Dataset = data, network = model) {
  const trainer = await trained(options, network);
  const weights = () =>
    new Map(
      [...trainer.model.graph.parameters].map(([name, { data }]) => [name, [...(data as Float32Array)]]),
    );
  const [scores, before] = [await trainer.evaluate(from), weights()];
  await trainer.fit(from, { steps: 1 });
  const after = weights();
  await trainer.dispose();
  const moved = (name: string) =>
    (after.get(name) ?? []).map((value, at) => value - (before.get(name)?.[at] as number));
  return { scores, moved };
}

describe("one term in a list is the loss itself", () => {
  const sides = Int32Array.from({ length: count * 3 }, (_, at) => (at % 4 === 1 ? -100 : at % 2));
  const tokens = dataset({ features, featureDims: [4], labels: sides, labelDims: [3], classes: 2 });
  test.each(Object.keys(losses) as LossName[])("%s: the same graph and the same bits", async (loss) => {
    const output = losses[loss]().predicts === "class" ? "class" : "box";
    const from = loss === "tokenCrossEntropy" ? tokens : data;
    const single = { output, loss };
    const list = { losses: [single] };
    const graphs = [single, list].map((one) => {
      const { graph } = writeProgram({ model, widths: findWidths(model), ...one, training: true });
      return { ...graph.build(""), parameters: graph.parameters };
    });
    expect(graphs[1]).toEqual(graphs[0]);
    const [alone, listed] = await Promise.all([trained(single), trained(list)]);
    for (const trainer of [alone, listed]) {
      await trainer.fit(from, { steps: 3 });
      await trainer.widen("trunk", { by: 2, strategy: "candidates", data: from });
      await trainer.fit(from, { steps: 2 });
    }
    expect(stateText(listed.state())).toBe(stateText(alone.state()));
    expect(await listed.evaluate(from)).toEqual(await alone.evaluate(from));
    await Promise.all([alone.dispose(), listed.dispose()]);
  });
});

describe("several terms", () => {
  test("have the weighted sum of their losses and of their gradients", async () => {
    const [both, first, second] = [
      await updated({ losses: terms }),
      await updated(classOnly),
      await updated(boxOnly),
    ];
    expect(both.scores.loss).toBeCloseTo(first.scores.loss + 0.5 * second.scores.loss, 6);
    expect(both.scores).toEqual({
      examples: count,
      loss: both.scores.loss,
      "class.loss": first.scores.loss,
      "class.accuracy": first.scores.accuracy,
      "box.loss": second.scores.loss,
      "box.rootMeanSquaredError": second.scores.rootMeanSquaredError,
      "box.r2": second.scores.r2,
    });
    for (const name of ["trunk", "class.weight", "box.weight"]) {
      const [a, b] = [first.moved(name), second.moved(name)];
      both.moved(name).forEach((move, at) => {
        expect(move).toBeCloseTo((a[at] as number) + 0.5 * (b[at] as number), 6);
      });
    }
  });

  test("are evaluated and measured alike whatever the batch size and the order, each by what counts in it", async () => {
    const trainer = await trained({ losses: terms });
    const whole = await trainer.evaluate(data);
    const gains = async (batchSize: number) =>
      (await trainer.score(data, { batchSize, units: 3 })).flatMap((score) => score.gains);
    const measured = await gains(count);
    expect(Math.min(...measured)).toBeGreaterThan(0);
    for (const order of [[...Array(count).keys()], [9, 3, 1, 6, 0, 11, 5, 2, 10, 8, 7, 4]]) {
      for (const batchSize of [1, 5]) {
        const seen = await trainer.evaluate(subset(data, order), { batchSize });
        for (const [name, score] of Object.entries(whole)) expect(seen[name], name).toBeCloseTo(score, 5);
      }
    }
    for (const batchSize of [1, 5]) {
      (await gains(batchSize)).forEach((gain, at) => {
        expect(gain / (measured[at] as number)).toBeCloseTo(1, 4);
      });
    }
    await trainer.dispose();
  });

  test.each(["kernel", "graph"] as const)(
    "resume bit for bit, through growth and shrink, by %s",
    async (update) => {
      const run = async (stopping: boolean) => {
        const own = { ...losses.huber({ delta: 2 }), name: "mine" };
        const list = [terms[0] as LossTerm, { output: "box", loss: own, weight: 0.25 }];
        let trainer = await trained({
          losses: list,
          optimizer: adamw({ learningRate: 0.01 }),
          batchSize: 5,
          update,
        });
        await trainer.fit(data, { steps: 4 });
        const growth = await trainer.widen("trunk", { by: 2 });
        expect(growth.output.preserved).toBe(true);
        if (stopping) {
          const bytes = await trainer.checkpoint();
          await trainer.dispose();
          await expect(Trainer.resume(bytes)).rejects.toMatchObject({ code: "ARGUMENT", received: "mine" });
          trainer = await Trainer.resume(bytes, { loss: own });
          expect(trainer.settings.losses).toEqual(list);
        }
        await trainer.fit(data, { steps: 3 });
        await trainer.shrink("trunk", { remove: { least: 1, by: "taylor" } }, data);
        await trainer.fit(data, { steps: 2 });
        // Times differ.
        const text = stateText(trainer.state()).replaceAll(/"(pauseMs|seconds)":[^,}]*/g, "");
        await trainer.dispose();
        return text;
      };
      expect(await run(true)).toBe(await run(false));
    },
  );

  test("take targets by name: told, called like the output, or the data's own", async () => {
    const named = (namedTargets: Record<string, object>, more = {}) =>
      dataset({ features, featureDims: [4], count, namedTargets, ...more });
    const box = { targets: numbers, targetDims: [2] };
    const told = terms.map((term, at) => ({ ...term, target: ["kind", "place"][at] as string }));
    const right = (await updated({ losses: terms })).scores;
    for (const [list, from] of [
      [told, named({ kind: kinds, place: box })],
      [terms, named({ class: kinds, box })],
      [terms, named({ class: kinds }, box)],
      [terms, subset(named({ class: kinds, box }), [...Array(count).keys()])],
    ] as const)
      expect((await updated({ losses: list }, from)).scores).toEqual(right);
    const trainer = await trained({ losses: told });
    await expect(trainer.evaluate(named({ kind: kinds }))).rejects.toThrow(/needs a target called "place"/);
    await expect(trainer.evaluate(data)).rejects.toMatchObject({ code: "ARGUMENT", received: [] });
    await trainer.dispose();
  });

  test("may include what the model computes itself, and several of one output", async () => {
    const [first, second] = [await updated(classOnly), await updated(boxOnly)];
    const network = twoHeaded(true);
    const spread = network.graph.outputs[2]?.name as string;
    const own: readonly LossTerm[] = [
      { loss: { output: spread }, weight: 2 },
      { output: "box", loss: "meanAbsoluteError", name: "absolute" },
    ];
    const { scores } = await updated({ losses: [...terms, ...own] }, data, network);
    const [inModel, absolute] = [scores[`${spread}.loss`] as number, scores["absolute.loss"] as number];
    expect(inModel).toBeGreaterThan(0);
    expect(absolute).toBeGreaterThan(0);
    expect(scores.loss).toBeCloseTo(first.scores.loss + 0.5 * second.scores.loss + 2 * inModel + absolute, 5);
  });

  test("predict every output, stop early by the sum or by one, and have metrics of their own", async () => {
    const trainer = await trained({ losses: terms, metrics: { class: [metrics.topK({ k: 2 })] } });
    const given = { x: float32([count, 4], features) };
    const outputs = await trainer.predictAll(given);
    expect(Object.keys(outputs)).toEqual(["class", "box"]);
    expect([outputs.class?.dims, outputs.box?.dims]).toEqual([
      [count, 3, 2],
      [count, 2],
    ]);
    expect(await trainer.predict(given)).toEqual(outputs.class as Tensor);
    const names = trainer.metrics.map(({ name }) => name);
    expect(names).toEqual(["class.top2", "box.rootMeanSquaredError", "box.r2", "class.loss", "box.loss"]);
    const scores = await trainer.evaluate(data);
    expect(Object.keys(scores).sort()).toEqual(["examples", "loss", ...names].sort());
    for (const monitor of ["loss", "box.loss", "class.top2"]) {
      const { best } = await trainer.fit(data, {
        steps: 2,
        validation: data,
        validateEvery: 1,
        earlyStopping: { patience: 5, monitor },
      });
      expect(best?.score).toBe((await trainer.evaluate(data))[monitor]);
    }
    const wrong = { patience: 1, monitor: "accuracy" };
    await expect(trainer.fit(data, { steps: 1, validation: data, earlyStopping: wrong })).rejects.toThrow(
      /class\.top2/,
    );
    await trainer.dispose();
  });
});

describe("terms that make no sense are refused", () => {
  test.each<[string, TrainerOptions, RegExp]>([
    ["next to a single loss", { losses: terms, loss: "crossEntropy" }, /^loss: is for a single loss/],
    ["next to an output", { losses: terms, output: "class" }, /^output: is for a single loss/],
    ["next to class weights", { losses: terms, classWeights: [1, 1, 1] }, /^classWeights: is for a single/],
    ["an empty list", { losses: [] }, /at least one term/],
    ["none with an output", { losses: [{ loss: "crossEntropy" }] }, /name the output/],
    ["an output twice", { losses: [{ output: "box" }, { output: "box" }] }, /names that differ/],
    [
      "an output that the model lacks",
      { losses: [{ output: "bx" }, { output: "class" }] },
      /value that the model/,
    ],
    ["a negative weight", { losses: [{ output: "box", weight: -1 }] }, /at least 0/],
    ["a weight that is no number", { losses: [{ output: "box", weight: Number.NaN }] }, /at least 0/],
    ["only weights of 0", { losses: [{ output: "box", weight: 0 }] }, /above 0/],
    ["class weights of numbers", { losses: [{ ...boxOnly, classWeights: [1, 2] }] }, /classification loss/],
    ["an unknown option", { losses: [{ output: "box", wieght: 1 } as LossTerm] }, /weight/],
    ["an unknown loss", { losses: [{ output: "box", loss: "mse" as LossName }] }, /meanSquaredError/],
    ["a list of metrics", { losses: terms, metrics: [metrics.accuracy()] }, /which of several losses/],
    ["metrics of an unknown one", { losses: terms, metrics: { klass: [] } }, /class/],
  ])("%s", async (_, options, message) => {
    const refusal = trained(options);
    await expect(refusal).rejects.toMatchObject({ code: "ARGUMENT" });
    await expect(refusal).rejects.toThrow(message);
  });
});
