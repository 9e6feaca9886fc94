// The article's example: two inputs, one hidden layer; widen it, the loss does not move, and learning
// continues.
import { adam, mlp, Trainer, twoMoons } from "espalier";

const data = twoMoons({ count: 400, noise: 0.15, seed: 1 });
const trainer = await Trainer.create(mlp([2, 2, 2], { activation: "tanh", seed: 1 }), {
  optimizer: adam({ learningRate: 0.02 }),
});

await trainer.fit(data, { steps: 300 });
const small = await trainer.evaluate(data);
console.log(`2 hidden units: loss ${small.loss.toFixed(4)}`);

const growth = await trainer.widen("hidden1", { by: 14 });
const grown = await trainer.evaluate(data);
console.log(`${growth.size.after} hidden units: loss ${grown.loss.toFixed(4)}, nothing moved`);

await trainer.fit(data, { steps: 300 });
const trained = await trainer.evaluate(data);
console.log(`after training on: loss ${trained.loss.toFixed(4)}`);

await trainer.dispose();

export { grown, growth, small, trained };
