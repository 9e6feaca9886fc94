// An existing model: see what can grow, grow it, prove that it computes the same, train its new units.
import {
  adam,
  cnn,
  digits,
  encodeModel,
  grow,
  loadModel,
  reshapeFeatures,
  Trainer,
  verify,
  widths,
} from "espalier";

// Any ONNX file will do: await loadModel("net.onnx").
const model = await loadModel(
  encodeModel(cnn({ input: [1, 8, 8], filters: [6], hidden: [12], classes: 10 })),
);
for (const { id, size, unit, growable, reason, costPerUnit } of widths(model))
  console.log(`${id}: ${size} × ${unit}, ${growable ? `${costPerUnit.parameters} parameters each` : reason}`);

const { model: grown } = grow(model, [
  { width: "conv1", times: 2 },
  { width: "hidden1", by: 4 },
]);
const verification = await verify(model, grown);
console.log(`preserved: ${verification.preserved}, largest difference ${verification.maximum}`);

const { train, test } = await digits();
const images = reshapeFeatures(train, [1, 8, 8]);
const trainer = await Trainer.create(grown, { frozen: ["conv1.*"], optimizer: adam({ learningRate: 5e-3 }) });
await trainer.fit(images, { steps: 300 });
const trained = await trainer.evaluate(reshapeFeatures(test, [1, 8, 8]));
console.log(`trained on: accuracy ${trained.accuracy}`);
await trainer.dispose();

export { trained, verification };
