import type { InferenceSession, Tensor } from "onnxruntime-node";

export type { InferenceSession, Tensor };

/** The two classes that sessions are made of. */
export type Runtime = Pick<typeof import("onnxruntime-node"), "InferenceSession" | "Tensor">;

/** The provider that sessions use by default. */
export const defaultProviders: readonly string[] = ["cpu"];

/** Who applies the optimizer: Node's typed arrays are shared with the kernel without copying. */
export const defaultUpdate: "kernel" | "graph" = "kernel";

/** Whether a tensor passed as an output is filled in place. */
export const fillsOutputs: boolean = true;

/** Loads ONNX Runtime's library on first use, so that reading and widening files does not need it. */
export function loadRuntime(_wants: {
  readonly providers: readonly string[];
  readonly threads: number;
}): Promise<Runtime> {
  return import("onnxruntime-node");
}
