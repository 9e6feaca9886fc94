// Three ways to widen a layer that keep the loss but waste the new units, and one that works.
import { diagnose, digits, mlp, type StrategyName, sgd, Trainer } from "espalier";

interface Outcome {
  strategy: StrategyName;
  loss: number;
  lossMoved: number;
  dead: number;
  identical: number;
  collapsing: number;
}

const { train } = await digits();
const outcomes: Outcome[] = [];

for (const strategy of ["zeros", "constant", "halved", "random"] satisfies StrategyName[]) {
  // Plain gradient descent, as in the article: Adam's moments start fresh for a copy, which separates it from
  // its twin.
  const trainer = await Trainer.create(mlp([64, 8, 10], { activation: "tanh" }), {
    optimizer: sgd({ learningRate: 0.1 }),
  });
  await trainer.fit(train, { steps: 200 });
  const growth = await trainer.widen("hidden1", { by: 8, strategy });
  await trainer.fit(train, { steps: 500 });

  const [health] = await diagnose(trainer.model, train);
  const dead = health?.dead.filter(({ unit }) => unit >= 8).length ?? 0;
  const identical = health?.identical.flat().length ?? 0;
  const collapsing = health?.collapsing.length ?? 0;
  const { loss } = await trainer.evaluate(train);
  outcomes.push({
    strategy,
    loss,
    dead,
    identical,
    collapsing,
    lossMoved: growth.loss.after - growth.loss.before,
  });
  console.log(
    `${strategy.padEnd(8)} 500 steps later: ${dead} of 8 new units dead, ${identical} units identical, ` +
      `${collapsing} pairs collapsing, loss ${loss.toFixed(4)}`,
  );
  await trainer.dispose();
}

export { outcomes };
