import type { InferenceSession, Tensor } from "onnxruntime-web/wasm";

export type { InferenceSession, Tensor };

/** The two classes that sessions are made of. */
export type Runtime = Pick<typeof import("onnxruntime-web/wasm"), "InferenceSession" | "Tensor">;

/** The provider that sessions use by default; "webgpu" if the caller asks for it. */
export const defaultProviders: readonly string[] = ["wasm"];

/** Who applies the optimizer: the runtime has its own memory (or GPU), so the graph does. */
export const defaultUpdate: "kernel" | "graph" = "graph";

/** Whether a tensor passed as an output is filled in place: ONNX Runtime 1.30 returns it unchanged. */
export const fillsOutputs: boolean = false;

/**
 * Loads the smaller build of ONNX Runtime, or the one with WebGPU if a provider asks for it. Threads are the page's,
 * not the session's: the first session decides, unless the page has set `env.wasm.numThreads` itself.
 */
export async function loadRuntime(wants: {
  readonly providers: readonly string[];
  readonly threads: number;
}): Promise<Runtime> {
  const runtime = await (wants.providers.includes("webgpu")
    ? import("onnxruntime-web/webgpu")
    : import("onnxruntime-web/wasm"));
  runtime.env.wasm.numThreads ||= wants.threads;
  return runtime;
}
