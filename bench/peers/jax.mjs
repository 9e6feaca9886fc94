/** jax-js on its WebAssembly backend, the whole training step under one jit: speaks the protocol of serve.mjs. */

import { readFileSync } from "node:fs";
import { defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { readDataset } from "../dataset.mjs";
import { classCount, featureCount } from "../workloads.mjs";
import { serve, timeSteps } from "./serve.mjs";

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

let run;

await serve({
  async setup({ workload, files, warmUp }) {
    await init("wasm");
    defaultDevice("wasm");
    run = createRun(workload, readDataset(files));
    await timeSteps(run.step, 0, warmUp);
    run.steps = warmUp;
    const manifest = new URL("../node_modules/@jax-js/jax/package.json", import.meta.url);
    const { version } = JSON.parse(readFileSync(manifest, "utf8"));
    // jax-js starts threads only where the browser's Worker class exists; Node has none.
    return { version, threads: 1, note: "no threads in Node", variants: [run.variant] };
  },
  async measure({ steps }) {
    const result = await timeSteps(run.step, run.steps, steps);
    run.steps += steps;
    return result;
  },
});

function createRun(workload, data) {
  const features = featureCount(workload);
  const classes = classCount(workload);
  const network = workload.kind === "mlp" ? mlp(workload) : cnn(workload);
  const objective = (parameters, x, labels) => {
    const scores = nn.logSoftmax(network.apply(parameters, x), -1);
    return scores
      .mul(labels)
      .sum()
      .mul(-1 / workload.batch);
  };
  const update = jit((parameters, first, second, corrections, x, labels) => {
    const [loss, gradients] = valueAndGrad(objective)(
      parameters.map((p) => p.ref),
      x,
      labels,
    );
    const [scale, root] = [corrections.ref.slice(0), corrections.slice(1)];
    const next = { parameters: [], first: [], second: [] };
    for (let index = 0; index < parameters.length; index++) {
      const m = first[index].mul(beta1).add(gradients[index].ref.mul(1 - beta1));
      const v = second[index].mul(beta2).add(np.square(gradients[index]).mul(1 - beta2));
      const change = m.ref.mul(scale.ref).div(np.sqrt(v.ref).mul(root.ref).add(epsilon));
      next.parameters.push(parameters[index].sub(change));
      next.first.push(m);
      next.second.push(v);
    }
    scale.dispose();
    root.dispose();
    return { ...next, loss };
  });
  const labels = new Float32Array(workload.examples * classes);
  data.y.forEach((label, example) => {
    labels[example * classes + label] = 1;
  });
  const batchCount = Math.floor(workload.examples / workload.batch);
  const zeros = () => network.parameters.map((p) => np.zeros(p.shape));
  let state = { parameters: network.parameters, first: zeros(), second: zeros() };
  const step = async (index) => {
    const from = (index % batchCount) * workload.batch;
    const rows = data.order.subarray(from, from + workload.batch);
    const x = np.array(gather(data.x, features, rows)).reshape([workload.batch, ...network.shape]);
    const y = np.array(gather(labels, classes, rows)).reshape([workload.batch, classes]);
    const t = index + 1;
    const corrections = np.array(
      new Float32Array([workload.learningRate / (1 - beta1 ** t), 1 / Math.sqrt(1 - beta2 ** t)]),
    );
    const { loss, ...next } = update(state.parameters, state.first, state.second, corrections, x, y);
    state = next;
    return (await loss.data())[0];
  };
  return { step, steps: 0, variant: network.variant };
}

/** Copies rows of a matrix with typed-array copies, faster here than the library's own take. */
function gather(matrix, width, rows) {
  const result = new Float32Array(rows.length * width);
  rows.forEach((row, index) => {
    result.set(matrix.subarray(row * width, (row + 1) * width), index * width);
  });
  return result;
}

function uniform(shape, fanIn) {
  const bound = 1 / Math.sqrt(fanIn);
  const count = shape.reduce((product, size) => product * size, 1);
  return np.array(Float32Array.from({ length: count }, () => (2 * Math.random() - 1) * bound)).reshape(shape);
}

function mlp({ sizes }) {
  const parameters = sizes
    .slice(1)
    .flatMap((outputs, index) => [uniform([sizes[index], outputs], sizes[index]), np.zeros([outputs])]);
  const apply = (p, x) => {
    let h = x;
    for (let index = 0; index < p.length; index += 2)
      h = np.dot(index > 0 ? nn.relu(h) : h, p[index]).add(p[index + 1]);
    return h;
  };
  return { parameters, apply, shape: [sizes[0]], variant: "jit" };
}

/**
 * Convolutions as nine shifted copies times a matrix, images with channels last: on the WebAssembly backend
 * lax.conv has no blocked kernel and a step with it took over ten times as long.
 */
function cnn({ channels, image, classes, batch }) {
  const parameters = channels
    .slice(1)
    .flatMap((outputs, index) => [
      uniform([9 * channels[index], outputs], 9 * channels[index]),
      np.zeros([outputs]),
    ]);
  const flat = channels.at(-1) * (image / 2 ** (channels.length - 1)) ** 2;
  parameters.push(uniform([flat, classes], flat), np.zeros([classes]));
  const apply = (p, x) => {
    let h = x;
    let side = image;
    for (let index = 0; index < p.length - 2; index += 2) {
      const scores = np.dot(patches(h, batch, side, channels[index / 2]), p[index]);
      side /= 2;
      const windows = [batch, side, 2, side, 2, channels[index / 2 + 1]];
      h = np.max(nn.relu(scores.add(p[index + 1])).reshape(windows), [2, 4]);
    }
    return np.dot(h.reshape([batch, flat]), p.at(-2)).add(p.at(-1));
  };
  return { parameters, apply, shape: [image, image, channels[0]], variant: "jit, im2col" };
}

/** [batch, side, side, channels] → [batch·side·side, 9·channels]: every 3×3 neighborhood as a row. */
function patches(x, batch, side, channels) {
  const padded = np.pad(x, [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ]);
  const shifted = [];
  for (let row = 0; row < 3; row++)
    for (let column = 0; column < 3; column++)
      shifted.push(padded.ref.slice([], [row, row + side], [column, column + side], []));
  padded.dispose();
  return np.concatenate(shifted, -1).reshape([batch * side * side, 9 * channels]);
}
