export { dataset } from "./data/dataset.ts";
export { digits } from "./data/digits.ts";
export { mlp } from "./nn/mlp.ts";
export { cnn } from "./nn/cnn.ts";
export { adam, adamw } from "./training/optimizers/adam.ts";
export { sgd } from "./training/optimizers/sgd.ts";
export { Trainer } from "./training/trainer.ts";
