import { text } from "../../../src/graph/model.ts";
import type { Draft } from "./draft.ts";
import { linear } from "./linear.ts";

const whole = ["Relu", "Relu", "Abs", "Clip", "Max", "Neg"] as const;
const smooth = [
  "Relu",
  "Tanh",
  "Gelu",
  "Sigmoid",
  "erf",
  "SiLU",
  "Softplus",
  "HardSwish",
  "Elu",
  "LeakyRelu",
  "Where",
  "Pow",
] as const;

/** One of the usual activations, some of them written out. */
export function activation(draft: Draft, x: string): string {
  const kind = draft.exact ? draft.pick(whole) : draft.pick(smooth);
  return draft.as(`activation ${kind}`, () => activations[kind](draft, x));
}

const activations: Record<(typeof whole | typeof smooth)[number], (draft: Draft, x: string) => string> = {
  Relu: (draft, x) => draft.emit("Relu", [x]),
  Abs: (draft, x) => draft.emit("Abs", [x]),
  Neg: (draft, x) => draft.emit("Neg", [x]),
  Clip: (draft, x) => draft.emit("Clip", [x, draft.scalar(0), draft.scalar(3)]),
  Max: (draft, x) => draft.emit("Max", [x, draft.scalar(1)]),
  Tanh: (draft, x) => draft.emit("Tanh", [x]),
  Gelu: (draft, x) => draft.emit("Gelu", [x], draft.chance(0.5) ? { approximate: text("tanh") } : {}),
  Sigmoid: (draft, x) => draft.emit("Sigmoid", [x]),
  Softplus: (draft, x) => draft.emit("Softplus", [x]),
  HardSwish: (draft, x) => draft.emit("HardSwish", [x]),
  Elu: (draft, x) => draft.emit("Elu", [x]),
  LeakyRelu: (draft, x) => draft.emit("LeakyRelu", [x]),
  erf(draft, x) {
    const inner = draft.emit("Erf", [draft.emit("Div", [x, draft.scalar(Math.SQRT2)])]);
    const outer = draft.emit("Mul", [x, draft.emit("Add", [inner, draft.scalar(1)])]);
    return draft.emit("Mul", [outer, draft.scalar(0.5)]);
  },
  SiLU: (draft, x) => draft.emit("Mul", [x, draft.emit("Sigmoid", [x])]),
  Where(draft, x) {
    const positive = draft.emit("Greater", [x, draft.scalar(0)]);
    return draft.emit("Where", [positive, x, draft.emit("Mul", [x, draft.scalar(0.1)])]);
  },
  Pow: (draft, x) => draft.emit("Pow", [draft.emit("Relu", [x]), draft.scalar(2)]),
};

/** down(activation(gate(x)) · up(x)), over the last axis; the gates as two weights or one that is split. */
export function gated(draft: Draft, x: string): string {
  const units = draft.size();
  const out = draft.size();
  if (draft.chance(0.5)) {
    const gate = activation(draft, linear(draft, x, units));
    return linear(draft, draft.emit("Mul", [gate, linear(draft, x, units)]), out);
  }
  return draft.as("fused gate and up", () => {
    const both = linear(draft, x, 2 * units);
    const [gate, up] = inHalves(draft, both);
    return linear(draft, draft.emit("Mul", [activation(draft, gate), up]), out);
  });
}

/** The halves of the last axis, by Split or by Slice. */
export function inHalves(draft: Draft, x: string): readonly [string, string] {
  const size = draft.width(x);
  const half = size / 2;
  const axis = draft.chance(0.5) ? -1 : draft.shape(x).length - 1;
  const attributes = { axis: { kind: "int", value: axis } } as const;
  switch (draft.pick(["sizes", "number", "slice"])) {
    case "sizes":
      return draft.as("Split by sizes", () => {
        const sizes = draft.vector([half, half]);
        return draft.graph.emitAll("Split", [x, sizes], 2, attributes) as [string, string];
      });
    case "number":
      return draft.as("Split by number", () => {
        const two = { ...attributes, num_outputs: { kind: "int", value: 2 } } as const;
        return draft.graph.emitAll("Split", [x], 2, two) as [string, string];
      });
    default:
      return draft.as("Slice of halves", () => {
        const cut = (from: number, to: number) =>
          draft.emit("Slice", [x, draft.vector([from]), draft.vector([to]), draft.vector([axis])]);
        return [cut(0, half), cut(draft.chance(0.3) ? -half : half, draft.chance(0.5) ? size : 2 ** 31 - 1)];
      });
  }
}
