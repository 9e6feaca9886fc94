import fc from "fast-check";
import type { Model } from "../../../src/graph/model.ts";
import { ownParameters } from "../../../src/ops/own-parameters.ts";
import { Draft } from "./draft.ts";
import { linear, settled } from "./linear.ts";
import { type Kind, type Piece, pieces } from "./pieces.ts";

/** What a random model is made of; printed where a law breaks, and enough to make it again. */
export interface Architecture {
  readonly exact: boolean;
  readonly seed: number;
  readonly pieces: readonly { readonly pick: number; readonly seed: number }[];
}

/** A random model, and which patterns made its values. */
export interface RandomModel {
  readonly model: Model;
  readonly patterns: ReadonlyMap<string, ReadonlySet<string>>;
  readonly pieces: readonly string[];
}

const seed = fc.nat(2 ** 31 - 1);

export function architectures(exact: boolean): fc.Arbitrary<Architecture> {
  return fc.record({
    exact: fc.constant(exact),
    seed,
    pieces: fc.array(fc.record({ pick: fc.nat(10_000), seed }), { minLength: 1, maxLength: 4 }),
  });
}

const starts: Readonly<Record<Kind, (draft: Draft) => string>> = {
  vector(draft) {
    const batch = draft.chance(0.6) ? "batch" : 2 + draft.below(3);
    return draft.graph.input("x", { dtype: "float32", shape: [batch, draft.size()] });
  },
  tokens(draft) {
    const batch = draft.chance(0.6) ? "batch" : 2 + draft.below(2);
    const positions = draft.chance(0.5) ? "sequence" : 2 + draft.below(4);
    return draft.graph.input("x", { dtype: "float32", shape: [batch, positions, draft.size()] });
  },
  image(draft) {
    const batch = draft.chance(0.6) ? "batch" : 2;
    return draft.graph.input("x", {
      dtype: "float32",
      shape: [batch, draft.pick([1, 2, 3]), draft.pick([4, 6]), draft.pick([4, 6])],
    });
  },
};

/** Draws the model of an architecture. Pure. */
export function modelOf(architecture: Architecture): RandomModel {
  const { exact } = architecture;
  const draft = new Draft(architecture.seed, exact);
  let kind = draft.pick<Kind>(["vector", "tokens"]);
  let x = starts[kind](draft);
  // Standard normal features rounded to whole numbers.
  if (exact) {
    const whole = draft.emit("Cast", [x], { to: { kind: "int", value: 6 } });
    x = draft.emit("Cast", [whole], { to: { kind: "int", value: 1 } });
  }
  x = settled(draft, produced(draft, kind, x));
  const names: string[] = [kind];
  for (const { pick, seed } of architecture.pieces) {
    const fitting = pieces.filter((piece) => piece.takes.includes(kind) && (!exact || piece.exact));
    const piece = fitting[pick % fitting.length] as Piece;
    names.push(piece.name);
    draft.reseed(seed);
    x = settled(draft, piece.build(draft, x));
    kind = piece.gives ?? kind;
  }
  for (const output of outputs(draft, x)) draft.graph.output(output);
  const model = draft.model();
  return {
    model: draft.chance(0.5) ? ownParameters(model) : model,
    patterns: draft.patterns,
    pieces: names,
  };
}

function produced(draft: Draft, kind: Kind, x: string): string {
  return kind === "image" ? x : linear(draft, x, draft.size());
}

/** The last layer; sometimes a second one, or a value on the way. */
function outputs(draft: Draft, x: string): readonly string[] {
  const units = () => 2 + draft.below(3);
  const found = [linear(draft, x, units())];
  if (draft.chance(0.2)) found.push(draft.as("several outputs", () => linear(draft, x, units())));
  return found;
}
