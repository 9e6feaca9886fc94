export { InferenceSession, Tensor } from "onnxruntime-web";

/** The provider that sessions use unless told otherwise; "webgpu" where the caller asks for it. */
export const defaultProviders: readonly string[] = ["wasm"];

/** Who applies the optimiser: the runtime has a memory (or a GPU) of its own, so the graph does. */
export const defaultUpdate: "kernel" | "graph" = "graph";
