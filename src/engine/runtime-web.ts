import type { InferenceSession, Tensor } from "onnxruntime-web/wasm";

export type { InferenceSession, Tensor };

/** The two classes that sessions are made of. */
export type Runtime = Pick<typeof import("onnxruntime-web/wasm"), "InferenceSession" | "Tensor">;

/** The provider that sessions use unless told otherwise; "webgpu" where the caller asks for it. */
export const defaultProviders: readonly string[] = ["wasm"];

/** Who applies the optimizer: the runtime has a memory (or a GPU) of its own, so the graph does. */
export const defaultUpdate: "kernel" | "graph" = "graph";

/** Whether a tensor handed in as an output is filled in place: ONNX Runtime 1.30 hands it back as it was. */
export const fillsOutputs: boolean = false;

/**
 * Loads the smaller build of ONNX Runtime, or the one with WebGPU where a provider asks for it. Threads are the page's,
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
