import { describe, expect, test } from "vitest";
import { type Dataset, dataset, subset } from "../../data/dataset.ts";
import { ints, makeModel } from "../../graph/model.ts";
import { newGraph } from "../../ops/index.ts";
import { Random } from "../../tensor/random.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { sgd } from "../optimizers/sgd.ts";
import type { TrainerOptions } from "../settings/options.ts";
import { Trainer } from "../trainer/trainer.ts";
import type { LossName } from "./index.ts";

const random = new Random(5, "counted");
const normal = (length: number) => Float32Array.from({ length }, () => random.normal());

/**
 * Logits of 3 classes from 2 features at 4 positions: [batch, 4, 3], or [batch, 3, 4] with the classes first.
 */
const modelOf = (loss: LossName) => {
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 4, 2] });
  const weight = graph.parameter("weight", float32([2, 3], [0.3, -0.4, 0.5, 0.9, 0.2, -0.7]));
  const logits = graph.emit("MatMul", [x, weight]);
  graph.output(
    loss === "tokenCrossEntropy" ? logits : graph.emit("Transpose", [logits], { perm: ints([0, 2, 1]) }),
  );
  return makeModel(graph.build("model"));
};

const count = 10;
/** In example e every label counts, or only the first 4 - e, or none. */
const labels = Int32Array.from({ length: count * 4 }, (_, at) =>
  at % 4 < 4 - Math.floor(at / 4) || Math.floor(at / 4) > 6 ? (at * 7 + (at >> 2)) % 3 : -100,
);
const data = dataset({
  features: normal(count * 8),
  featureDims: [4, 2],
  labels,
  labelDims: [4],
  classes: 3,
});

/** The weighted mean over all labels that count, and the share of them that have the largest logit. */
async function right(trainer: Trainer, from: Dataset, loss: LossName, weights = [1, 1, 1]) {
  const { data: logits } = (await trainer.predict({
    x: { dtype: "float32", dims: [from.count, 4, 2], data: from.features as Float32Array } as Tensor,
  })) as Tensor<"float32">;
  let [sum, total, hits, counted] = [0, 0, 0, 0];
  from.labels?.forEach((label, at) => {
    if (label === -100) return;
    const [example, position] = [Math.floor(at / 4), at % 4];
    const index = (one: number) =>
      loss === "tokenCrossEntropy" ? at * 3 + one : example * 12 + one * 4 + position;
    const own = [0, 1, 2].map((one) => logits[index(one)] as number);
    const log = Math.log(own.reduce((all, one) => all + Math.exp(one), 0));
    sum += (weights[label] as number) * (log - (own[label] as number));
    total += weights[label] as number;
    hits += Number(own.every((one) => one <= (own[label] as number)));
    counted++;
  });
  return { loss: sum / total, accuracy: hits / counted };
}

const trainerOf = (loss: LossName, options: TrainerOptions = {}) =>
  Trainer.create(modelOf(loss), { loss, optimizer: sgd({ learningRate: 0.5 }), ...options });

describe.each(["tokenCrossEntropy", "crossEntropy"] as const)(
  "means of %s are of labels that count",
  (loss) => {
    test.each([undefined, [1, 3, 0.25]])(
      "for any batch size and order, with class weights %j",
      async (weights) => {
        const trainer = await trainerOf(loss, weights === undefined ? {} : { classWeights: weights });
        const expected = await right(trainer, data, loss, weights);
        for (const order of [[...Array(count).keys()], [9, 3, 1, 6, 0, 5, 2, 8, 7, 4]]) {
          for (const batchSize of [1, 3, 4, 10]) {
            const seen = await trainer.evaluate(subset(data, order), { batchSize });
            expect(seen.loss).toBeCloseTo(expected.loss, 5);
            expect(seen.accuracy).toBeCloseTo(expected.accuracy, 10);
          }
        }
        await trainer.dispose();
      },
    );

    test("an example that is ignored changes neither loss nor accuracy nor an update", async () => {
      const [whole, part] = [
        [7, 8, 4, 5],
        [7, 8],
      ];
      const [a, b] = await Promise.all([trainerOf(loss), trainerOf(loss)]);
      expect(await a.evaluate(subset(data, whole))).toMatchObject({
        ...(await b.evaluate(subset(data, part))),
        examples: 4,
      });
      const updated = async (trainer: Trainer, of: Dataset) => {
        await trainer.fit(of, { steps: 1 });
        return trainer.model.graph.parameters.get("weight")?.data as Float32Array;
      };
      const [first, second] = [await updated(a, subset(data, whole)), await updated(b, subset(data, part))];
      first.forEach((value, at) => {
        expect(value).toBeCloseTo(second[at] as number, 5);
      });
      await Promise.all([a.dispose(), b.dispose()]);
    });

    test("a batch in which nothing counts leaves the weights unchanged", async () => {
      const trainer = await trainerOf(loss, { batchSize: 1 });
      const before = trainer.model.graph.parameters.get("weight")?.data;
      await trainer.fit(subset(data, [4, 5, 6]), { epochs: 1 });
      expect(trainer.model.graph.parameters.get("weight")?.data).toEqual(before);
      await expect(trainer.evaluate(subset(data, [4, 5, 6]))).rejects.toMatchObject({ code: "EMPTY_DATA" });
      await trainer.dispose();
    });

    test("an update follows the gradient of the weighted mean", async () => {
      const weights = [1, 3, 0.25];
      const trainer = await trainerOf(loss, { classWeights: weights, batchSize: count });
      const before = (await right(trainer, data, loss, weights)).loss;
      const rate = 1e-2;
      const slow = await trainerOf(loss, {
        classWeights: weights,
        batchSize: count,
        optimizer: sgd({ learningRate: rate }),
      });
      const old = Float32Array.from(slow.model.graph.parameters.get("weight")?.data as Float32Array);
      await slow.fit(data, { steps: 1 });
      const moved = slow.model.graph.parameters.get("weight")?.data as Float32Array;
      // To first order the loss falls by the squared length of the step, divided by the rate.
      const squares = moved.reduce((sum, value, at) => sum + (value - (old[at] as number)) ** 2, 0);
      const after = (await right(slow, data, loss, weights)).loss;
      expect((before - after) / (squares / rate)).toBeCloseTo(1, 1);
      await Promise.all([trainer.dispose(), slow.dispose()]);
    });

    test("class weights that do not fit are refused", async () => {
      for (const classWeights of [
        [1, 2],
        [0, 0, 0],
        [1, -1, 1],
        [1, Number.NaN, 1],
      ]) {
        await expect(trainerOf(loss, { classWeights })).rejects.toMatchObject({ code: "ARGUMENT" });
      }
    });
  },
);

test("class weights need a loss of classes", async () => {
  const trainer = trainerOf("meanSquaredError", { classWeights: [1, 1, 1] });
  await expect(trainer).rejects.toMatchObject({ code: "ARGUMENT", thing: "class weights" });
});
