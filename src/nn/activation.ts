import { type Attributes, float, text } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import type { Layer } from "./layer.ts";

/** ONNX operator and attributes of each activation. */
const activations = {
  relu: { op: "Relu", attributes: {} },
  leakyRelu: { op: "LeakyRelu", attributes: { alpha: float(0.01) } },
  elu: { op: "Elu", attributes: {} },
  gelu: { op: "Gelu", attributes: { approximate: text("none") } },
  tanh: { op: "Tanh", attributes: {} },
  sigmoid: { op: "Sigmoid", attributes: {} },
  softplus: { op: "Softplus", attributes: {} },
} as const satisfies Readonly<Record<string, { op: string; attributes: Attributes }>>;

export type ActivationName = keyof typeof activations;

export const activationNames = Object.keys(activations) as readonly ActivationName[];

/** An elementwise activation. Any shape. */
export function activation(name: ActivationName): Layer {
  if (!Object.hasOwn(activations, name)) {
    throw new EspalierError("ARGUMENT", {
      thing: "activation",
      rule: "must be a known one",
      received: name,
      remedy: `Known: ${activationNames.join(", ")}.`,
    });
  }
  const { op, attributes } = activations[name];
  return { kind: name, build: ({ graph, name: layer }, input) => graph.emit(op, [input], attributes, layer) };
}
