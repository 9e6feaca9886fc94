import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Who takes part. `threads` lists the thread counts it is measured at: the peers in WebAssembly have no threads in
 * Node, so their one-thread figures are compared with both of ours. `python` is what preparePython gives.
 */
export function roster(python) {
  const node = (path) => ({ command: [process.execPath, here(path)] });
  return [
    { name: "espalier", ...node("espalier.mjs"), threads: [1, 2] },
    {
      name: "PyTorch",
      ...(python.python
        ? { command: [python.python, here("peers/torch_peer.py")] }
        : { missing: python.missing }),
      threads: [1, 2],
    },
    { name: "tfjs wasm", ...node("peers/tfjs.mjs"), threads: [1] },
    { name: "jax-js wasm", ...node("peers/jax.mjs"), threads: [1] },
  ];
}

/** Environment that makes numeric libraries start with the given number of threads. */
export function threadEnvironment(threads) {
  return { OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) };
}
