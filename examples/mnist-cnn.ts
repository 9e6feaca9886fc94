// A small convolutional network on MNIST whose filters grow while it trains.
// MNIST=<folder of the four IDX files> EPOCHS=<number> choose other data or a shorter run.
import { adam, cnn, cosineRate, mnist, Trainer } from "espalier";

const epochs = Number(process.env.EPOCHS ?? 8);
const { train, test } = await mnist(process.env.MNIST ?? "../shared/data/mnist");
const batchSize = 64;
const steps = epochs * Math.ceil(train.count / batchSize);

const model = cnn({ input: [1, 28, 28], filters: [8, 16], classes: 10, dropout: 0.25 });
const trainer = await Trainer.create(model, {
  optimizer: adam({ learningRate: cosineRate(3e-3, { steps, warmup: 50 }) }),
  batchSize,
});

for (let epoch = 1; epoch <= epochs; epoch++) {
  await trainer.fit(train, { epochs: 1 });
  if (epoch === 1 || epoch === 2) {
    for (const width of ["conv1", "conv2"]) {
      const { size, loss } = await trainer.widen(width, { by: width === "conv1" ? 4 : 8 });
      console.log(
        `${width} ${size.before} -> ${size.after}, loss ${loss.before.toFixed(4)} -> ${loss.after.toFixed(4)}`,
      );
    }
  }
  const { loss, accuracy } = await trainer.evaluate(test);
  console.log(
    `epoch ${epoch}: test loss ${loss.toFixed(4)}, accuracy ${((accuracy ?? 0) * 100).toFixed(2)} %`,
  );
}

const final = await trainer.evaluate(test);
const growths = trainer.growths;
await trainer.dispose();

export { final, growths };
