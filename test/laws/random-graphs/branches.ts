import { int } from "../../../src/graph/model.ts";
import { activation, inHalves } from "./activations.ts";
import type { Draft } from "./draft.ts";
import { linear } from "./linear.ts";

/** x + f(x), where f is two layers with an activation between them. */
export function residual(draft: Draft, x: string): string {
  return draft.as("residual", () => {
    const inner = linear(draft, activation(draft, linear(draft, x, draft.size())), draft.width(x));
    return draft.emit("Add", draft.chance(0.5) ? [x, inner] : [inner, x]);
  });
}

/** Several branches next to each other on the last axis; sometimes the same one twice, or the input itself. */
export function concatenated(draft: Draft, x: string): string {
  return draft.as("Concat", () => {
    const count = 1 + draft.below(3);
    const parts = Array.from({ length: count }, () => activation(draft, linear(draft, x, draft.size())));
    if (draft.chance(0.3)) parts.push(x);
    const twice = () => {
      parts.push(draft.pick(parts));
      return draft.emit("Concat", parts, { axis: int(-1) });
    };
    return draft.chance(0.3)
      ? draft.as("Concat of one branch twice", twice)
      : draft.emit("Concat", parts, { axis: int(-1) });
  });
}

/** One layer, split into parts that are processed separately and joined again. */
export function split(draft: Draft, x: string): string {
  return draft.as("Split into parts", () => {
    const sizes = Array.from({ length: 2 + draft.below(2) }, () => draft.size());
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const out = draft.size();
    const parts = draft.graph.emitAll("Split", [linear(draft, x, total), draft.vector(sizes)], sizes.length, {
      axis: int(-1),
    });
    return parts
      .map((part) => linear(draft, activation(draft, part), out))
      .reduce((sum, part) => draft.emit("Add", [sum, part]));
  });
}

/** The halves of one layer, used differently: their product, sum or difference. */
export function halvesMet(draft: Draft, x: string): string {
  const both = linear(draft, x, 2 * draft.size());
  const [a, b] = inHalves(draft, both);
  return draft.as("halves met", () =>
    draft.emit(draft.pick(["Mul", "Add", "Sub", "Max"]), [activation(draft, a), b]),
  );
}

/** Where by a condition of the units, of a parameter, or of another axis. */
export function masked(draft: Draft, x: string): string {
  return draft.as("Where", () => {
    const units = draft.width(x);
    const other = linear(draft, x, units);
    const condition = draft.pick(["units", "parameter", "one"]);
    if (condition === "units")
      return draft.emit("Where", [draft.emit("Less", [other, x]), other, draft.scalar(1)]);
    if (condition === "parameter") return draft.emit("Where", [draft.own(draft.truths([units])), x, other]);
    return draft.emit("Where", [draft.own(draft.truths([1])), draft.emit("Neg", [x]), other]);
  });
}

/** The same layer, by its parameters, twice in a row or side by side. */
export function repeated(draft: Draft, x: string): string {
  return draft.as("layer used twice", () => {
    const units = draft.width(x);
    const weight = draft.own(draft.weights([units, units], units));
    const bias = draft.own(draft.weights([units], 4));
    const once = (from: string) =>
      activation(draft, draft.emit("Add", [draft.emit("MatMul", [from, weight]), bias]));
    return draft.chance(0.5) ? once(once(x)) : draft.emit("Add", [once(x), once(draft.emit("Neg", [x]))]);
  });
}

/** An encoder's weight that its decoder reads transposed. */
export function autoencoder(draft: Draft, x: string): string {
  return draft.as("tied decoder", () => {
    const units = draft.width(x);
    const inner = draft.size();
    const weight = draft.own(draft.weights([units, inner], units));
    const code = activation(draft, draft.emit("MatMul", [x, weight]));
    return draft.emit("MatMul", [
      code,
      draft.emit("Transpose", [weight], { perm: { kind: "ints", value: [1, 0] } }),
    ]);
  });
}

/** An aggregate of the whole layer added to it: a sum, a mean, a norm over the units. */
export function pooled(draft: Draft, x: string): string {
  const ops = draft.exact ? ["ReduceSum"] : ["ReduceSum", "ReduceMean", "ReduceL2", "ReduceSumSquare"];
  const op = draft.pick(ops);
  return draft.as("sum, mean or norm over the width", () => {
    const pool = draft.emit(op, [x, draft.vector([-1])], { keepdims: int(1) });
    if (op === "ReduceMean" && draft.chance(0.5)) return draft.emit("Sub", [x, pool]);
    return draft.chance(0.5) ? draft.emit("Add", [x, pool]) : linear(draft, pool, draft.size());
  });
}

/** Weights that sum to one by their own division: x / Σ|x|. */
export function normalized(draft: Draft, x: string): string {
  return draft.as("divided by its norm", () => {
    const norm = draft.emit(draft.pick(["ReduceL1", "ReduceL2"]), [x, draft.vector([-1])], {
      keepdims: int(1),
    });
    return draft.emit("Div", [x, draft.emit("Add", [norm, draft.scalar(1)])]);
  });
}
