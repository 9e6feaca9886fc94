/**
 * What every contestant trains. Plain data: it is sent to the peers as JSON, so Python reads the same thing.
 * ReLU between layers, softmax cross-entropy averaged over the batch, Adam with learning rate 1e-3.
 */
export const workloads = [
  { name: "mlp-64-32-10", kind: "mlp", sizes: [64, 32, 10], batch: 64 },
  { name: "mlp-784-256-10", kind: "mlp", sizes: [784, 256, 10], batch: 128 },
  { name: "mlp-784-1024-1024-10", kind: "mlp", sizes: [784, 1024, 1024, 10], batch: 256 },
  // conv 1→16, pool 2, conv 16→32, pool 2, linear 1568→10; 3×3 kernels, padding 1, images 1×28×28.
  { name: "cnn-28x28-16-32", kind: "cnn", channels: [1, 16, 32], image: 28, classes: 10, batch: 64 },
].map((workload) => ({ ...workload, learningRate: 1e-3, examples: 4096 }));

/** Floats per example. */
export function featureCount(workload) {
  return workload.kind === "mlp" ? workload.sizes[0] : workload.channels[0] * workload.image ** 2;
}

/** Number of classes. */
export function classCount(workload) {
  return workload.kind === "mlp" ? workload.sizes.at(-1) : workload.classes;
}
