/**
 * TensorFlow.js on its WebAssembly backend (SIMD): speaks the protocol of serve.mjs. Two variants: its own
 * gradients, and gradients written here so that they stay on the backend's fast kernels.
 */

import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { readDataset } from "../dataset.mjs";
import { classCount } from "../workloads.mjs";
import { serve, timeSteps } from "./serve.mjs";

/**
 * conv2d with padding "same" whose filter gradient is itself a convolution: the WebAssembly backend has no
 * Conv2DBackpropFilter kernel, so without this the network cannot be trained on it at all. Batch and channel
 * change places: dW[i, j, c, o] = Σₙ Σᵧₓ x[n, y + i, x + j, c] · dy[n, y, x, o].
 */
const convolve = tf.customGrad((x, weight, save) => {
  save([x, weight]);
  return {
    value: tf.conv2d(x, weight, 1, "same"),
    gradFunc: (dy, [input, filter]) => [
      tf.conv2dTranspose(dy, filter, input.shape, 1, "same"),
      tf.transpose(
        tf.conv2d(
          tf.pad(tf.transpose(input, [3, 1, 2, 0]), [
            [0, 0],
            [1, 1],
            [1, 1],
            [0, 0],
          ]),
          tf.transpose(dy, [1, 2, 0, 3]),
          1,
          "valid",
        ),
        [1, 2, 0, 3],
      ),
    ],
  };
});

/**
 * matMul whose gradients transpose first: the WebAssembly backend multiplies plain operands with XNNPACK but
 * transposed ones with a simple loop, up to fifty times as slow for a weight gradient.
 */
const multiply = tf.customGrad((x, weight, save) => {
  save([x, weight]);
  return {
    value: tf.matMul(x, weight),
    gradFunc: (dy, [input, matrix]) => [
      tf.matMul(dy, tf.transpose(matrix)),
      tf.matMul(tf.transpose(input), dy),
    ],
  };
});

let runs;

await serve({
  async setup({ workload, threads, files, warmUp }) {
    setWasmPaths(
      fileURLToPath(new URL("../node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url)),
    );
    setThreadsCount(threads);
    await tf.setBackend("wasm");
    await tf.ready();
    if (!(await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT")))
      throw new Error("the SIMD build of the WebAssembly backend did not load");
    const data = readDataset(files);
    // Its own gradients cannot train the convolutions at all (see convolve).
    runs = { "own gradients": createRun(workload, data, multiply) };
    if (workload.kind === "mlp") runs["as is"] = createRun(workload, data, tf.matMul);
    for (const run of Object.values(runs)) {
      await timeSteps(run.step, 0, warmUp);
      run.steps = warmUp;
    }
    // tfjs switches its threads off in Node (flag WASM_HAS_MULTITHREAD_SUPPORT is always false there).
    return { version: tf.version.tfjs, threads: 1, note: "no threads in Node", variants: Object.keys(runs) };
  },
  async measure({ variant, steps }) {
    const run = runs[variant];
    const result = await timeSteps(run.step, run.steps, steps);
    run.steps += steps;
    return result;
  },
});

function createRun(workload, data, matMul) {
  const model = workload.kind === "mlp" ? mlp(workload, matMul) : cnn(workload, matMul);
  const shape =
    workload.kind === "mlp" ? [workload.sizes[0]] : [workload.image, workload.image, workload.channels[0]];
  const x = tf.tensor(data.x, [workload.examples, ...shape]);
  const y = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(data.y, "int32"), classCount(workload)), "float32"));
  const batches = [];
  for (let at = 0; at + workload.batch <= workload.examples; at += workload.batch)
    batches.push(tf.tensor1d(data.order.slice(at, at + workload.batch), "int32"));
  const optimizer = tf.train.adam(workload.learningRate);
  const step = (index) => {
    const cost = tf.tidy(() => {
      const rows = batches[index % batches.length];
      const inputs = tf.gather(x, rows);
      const labels = tf.gather(y, rows);
      return optimizer.minimize(() => tf.losses.softmaxCrossEntropy(labels, model(inputs)), true);
    });
    const loss = cost.dataSync()[0];
    cost.dispose();
    return loss;
  };
  return { step, steps: 0 };
}

function linear(inputs, outputs) {
  return {
    weight: tf.variable(tf.randomNormal([inputs, outputs], 0, Math.sqrt(1 / inputs))),
    bias: tf.variable(tf.zeros([outputs])),
  };
}

function mlp({ sizes }, matMul) {
  const layers = sizes.slice(1).map((outputs, index) => linear(sizes[index], outputs));
  return (x) =>
    layers.reduce(
      (h, layer, index) => tf.add(matMul(index > 0 ? tf.relu(h) : h, layer.weight), layer.bias),
      x,
    );
}

function cnn({ channels, image, classes }, matMul) {
  const convolutions = channels.slice(1).map((outputs, index) => ({
    weight: tf.variable(
      tf.randomNormal([3, 3, channels[index], outputs], 0, Math.sqrt(1 / (9 * channels[index]))),
    ),
    bias: tf.variable(tf.zeros([outputs])),
  }));
  const head = linear(channels.at(-1) * (image / 2 ** convolutions.length) ** 2, classes);
  return (x) => {
    let h = x;
    for (const { weight, bias } of convolutions)
      h = tf.maxPool(tf.relu(tf.add(convolve(h, weight), bias)), 2, 2, "valid");
    return tf.add(matMul(tf.reshape(h, [h.shape[0], -1]), head.weight), head.bias);
  };
}
