export { InferenceSession, Tensor } from "onnxruntime-web";

/** The provider that sessions use unless told otherwise; "webgpu" where the caller asks for it. */
export const defaultProviders: readonly string[] = ["wasm"];
