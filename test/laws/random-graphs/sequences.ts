import { int, ints } from "../../../src/graph/model.ts";
import { activation } from "./activations.ts";
import type { Draft } from "./draft.ts";
import { linear } from "./linear.ts";
import { reshape } from "./reshaping.ts";

const vocabulary = 11;

/** Token ids [batch, positions] looked up in a table; sometimes position embeddings are added. */
export function embedding(draft: Draft): { readonly x: string; readonly table: string } {
  return draft.as("embedding", () => {
    const batch = draft.chance(0.6) ? "batch" : 2 + draft.below(2);
    const positions = draft.chance(0.5) ? "sequence" : 2 + draft.below(4);
    const units = draft.size();
    const ids = draft.graph.input("ids", { dtype: "int64", shape: [batch, positions] });
    const table = draft.own(draft.weights([vocabulary, units]));
    const words = draft.emit("Gather", [table, ids], { axis: int(0) });
    if (draft.chance(0.5)) return { x: words, table };
    return draft.as("position embedding", () => {
      if (typeof positions === "number") {
        return { x: draft.emit("Add", [words, draft.own(draft.weights([positions, units]))]), table };
      }
      const size = draft.emit("Gather", [draft.emit("Shape", [ids]), draft.integer(1)], { axis: int(0) });
      const places = draft.emit("Range", [draft.integer(0), size, draft.integer(1)]);
      const rows = draft.emit("Gather", [draft.own(draft.weights([9, units])), places], { axis: int(0) });
      return { x: draft.emit("Add", [words, rows]), table };
    });
  });
}

/** The scores of every word, by the table that embeds them. */
export function tiedOutput(draft: Draft, x: string, table: string): string {
  return draft.as("tied output", () => {
    const back = draft.width(x) === draft.width(table) ? x : linear(draft, x, draft.width(table));
    return draft.emit("MatMul", [back, draft.emit("Transpose", [table], { perm: ints([1, 0]) })]);
  });
}

/** [batch, positions, units] to [batch, units]. */
export function summary(draft: Draft, x: string): string {
  const [batch, positions] = draft.shape(x);
  if (typeof positions === "number" && draft.chance(0.25)) {
    return draft.as("positions flattened", () =>
      reshape(draft, x, [batch as number, positions * draft.width(x)]),
    );
  }
  if (draft.chance(0.4)) {
    return draft.as("first position", () =>
      draft.emit("Gather", [x, draft.integer(draft.pick([0, -1]))], { axis: int(1) }),
    );
  }
  const op = draft.exact
    ? draft.pick(["ReduceSum", "ReduceMax"])
    : draft.pick(["ReduceSum", "ReduceMax", "ReduceMean", "ReduceL2"]);
  return draft.as("reduction over positions", () =>
    draft.emit(op, [x, draft.vector([1])], { keepdims: int(0) }),
  );
}

/** Something that mixes positions but not units. */
export function mixed(draft: Draft, x: string): string {
  const [, positions] = draft.shape(x);
  if (typeof positions !== "number" || draft.chance(0.3)) {
    return draft.as("mean over other axes", () => {
      const op = draft.exact ? "ReduceMax" : "ReduceMean";
      return draft.emit("Sub", [
        x,
        draft.emit(op, [x, draft.vector(draft.pick([[1], [0], [0, 1]]))], { keepdims: int(1) }),
      ]);
    });
  }
  return draft.as("mixing of positions", () => {
    const turned = draft.emit("Transpose", [x], { perm: ints([0, 2, 1]) });
    const mixed = linear(draft, activation(draft, linear(draft, turned, draft.size())), positions);
    return draft.emit("Add", [x, draft.emit("Transpose", [mixed], { perm: ints([0, 2, 1]) })]);
  });
}

/** A convolution over positions: [batch, units, positions] and back. */
export function convolved(draft: Draft, x: string): string {
  return draft.as("Conv over positions", () => {
    const inputs = draft.width(x);
    const out = draft.chance(0.5) ? inputs : draft.size();
    const deep = out === inputs && draft.chance(0.5);
    const turned = draft.emit("Transpose", [x], { perm: ints([0, 2, 1]) });
    const dims = [out, deep ? 1 : inputs, 3];
    const kernel = draft.parameter("weight", draft.weights(dims, 3 * (dims[1] as number)));
    const made = draft.emit("Conv", [turned, kernel], { pads: ints([1, 1]), group: int(deep ? inputs : 1) });
    return draft.emit("Transpose", [activation(draft, made)], { perm: ints([0, 2, 1]) });
  });
}
