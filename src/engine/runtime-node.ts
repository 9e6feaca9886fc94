export { InferenceSession, Tensor } from "onnxruntime-node";

/** The provider that sessions use unless told otherwise. */
export const defaultProviders: readonly string[] = ["cpu"];

/** Who applies the optimiser: Node's typed arrays are shared with the kernel without copying. */
export const defaultUpdate: "kernel" | "graph" = "kernel";
