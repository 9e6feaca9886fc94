export { InferenceSession, Tensor } from "onnxruntime-node";

/** The provider that sessions use unless told otherwise. */
export const defaultProviders: readonly string[] = ["cpu"];
