import type { GraphBuilder } from "../graph/builder.ts";
import { type Attributes, float, int, text } from "../graph/model.ts";
import { unknownName } from "../tensor/unknown-name.ts";
import type { Layer } from "./layer.ts";

/** Writes an activation of a value and returns its name. */
type Emit = (graph: GraphBuilder, input: string, name: string) => string;

const operator =
  (op: string, attributes: Attributes = {}): Emit =>
  (graph, input, name) =>
    graph.emit(op, [input], attributes, name);

const activations = {
  relu: operator("Relu"),
  leakyRelu: operator("LeakyRelu", { alpha: float(0.01) }),
  elu: operator("Elu"),
  gelu: operator("Gelu", { approximate: text("none") }),
  tanh: operator("Tanh"),
  sigmoid: operator("Sigmoid"),
  softplus: operator("Softplus"),
  softsign: operator("Softsign"),
  selu: operator("Selu"),
  mish: operator("Mish"),
  hardSwish: operator("HardSwish"),
  /** x·sigmoid(x), as in PyTorch's SiLU: ONNX has a Swish operator only since opset 24. */
  silu: (graph, input, name) => graph.emit("Mul", [input, graph.emit("Sigmoid", [input])], {}, name),
  arctan: operator("Atan"),
  /** ReLU with slope 1 at zero (ONNX and PyTorch use 0), so that units with zero incoming weights can learn. */
  openRelu(graph, input, name) {
    const open = graph.emit("GreaterOrEqual", [input, graph.scalar(0)]);
    return graph.emit("Mul", [input, graph.emit("Cast", [open], { to: int(1) })], {}, name);
  },
} as const satisfies Readonly<Record<string, Emit>>;

export type ActivationName = keyof typeof activations;

export const activationNames = Object.keys(activations) as readonly ActivationName[];

/** An elementwise activation. Any shape. */
export function activation(name: ActivationName): Layer {
  if (!Object.hasOwn(activations, name)) {
    throw unknownName("ARGUMENT", "activation", name, activationNames);
  }
  return { kind: name, build: ({ graph, name: layer }, input) => activations[name](graph, input, layer) };
}
