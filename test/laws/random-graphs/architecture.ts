import fc from "fast-check";
import type { Model } from "../../../src/graph/model.ts";
import { ownParameters } from "../../../src/ops/rewrites/own-parameters.ts";
import { flattened } from "./convolutions.ts";
import { Draft } from "./draft.ts";
import { linear, settled } from "./linear.ts";
import { type Kind, obstacles, type Piece, pieces } from "./pieces.ts";
import { embedding, tiedOutput } from "./sequences.ts";

/** The description of a random model; printed if a law breaks, and enough to make it again. */
export interface Architecture {
  readonly exact: boolean;
  readonly start: Kind | "words";
  readonly seed: number;
  readonly pieces: readonly { readonly hostile: boolean; readonly pick: number; readonly seed: number }[];
}

/** A random model, and which patterns made its values. */
export interface RandomModel {
  readonly model: Model;
  readonly patterns: ReadonlyMap<string, ReadonlySet<string>>;
  /** The names of its pieces, for people. */
  readonly pieces: readonly string[];
}

export function architectures(exact: boolean): fc.Arbitrary<Architecture> {
  // Numbers near the ends of a range, which fast-check likes, mean nothing here.
  const seed = fc.noBias(fc.nat(2 ** 31 - 1));
  const hostile = fc.nat(6).map((draw) => draw === 0);
  return fc.record({
    exact: fc.constant(exact),
    start: fc.constantFrom("vector", "tokens", "tokens", "words", "image", "image"),
    seed,
    pieces: fc.array(fc.record({ hostile, pick: fc.noBias(fc.nat(10_000)), seed }), {
      minLength: 1,
      maxLength: 4,
    }),
  });
}

/** Draws the model of an architecture. Pure. */
export function modelOf({ exact, start, seed, pieces: chosen }: Architecture): RandomModel {
  const draft = new Draft(seed, exact);
  const begun = beginnings[start](draft);
  let { x, kind } = begun;
  const names: string[] = [start];
  for (const { hostile, pick, seed } of chosen) {
    const fits = (piece: Piece) => piece.takes.includes(kind) && !(exact && piece.inexact === true);
    const fitting =
      [hostile ? obstacles : [], pieces].map((all) => all.filter(fits)).find((all) => all.length > 0) ?? [];
    const piece = fitting[pick % fitting.length] as Piece;
    names.push(piece.name);
    draft.reseed(seed);
    x = settled(draft, piece.build(draft, x));
    kind = piece.gives ?? kind;
  }
  draft.reseed(seed);
  if (kind === "image") x = settled(draft, flattened(draft, x));
  for (const output of outputs(draft, x, begun.table)) draft.graph.output(output);
  const model = draft.model();
  return { model: draft.chance(0.5) ? ownParameters(model) : model, patterns: draft.patterns, pieces: names };
}

interface Beginning {
  readonly x: string;
  readonly kind: Kind;
  /** The table of an embedding. */
  readonly table?: string;
}

const batchSize = (draft: Draft) => (draft.chance(0.6) ? "batch" : 2 + draft.below(2));

const beginnings: Readonly<Record<Architecture["start"], (draft: Draft) => Beginning>> = {
  vector(draft) {
    const features = draft.graph.input("x", { dtype: "float32", shape: [batchSize(draft), draft.size()] });
    return { kind: "vector", x: settled(draft, linear(draft, whole(draft, features), draft.size())) };
  },
  tokens(draft) {
    const positions = draft.chance(0.5) ? "sequence" : 2 + draft.below(4);
    const shape = [batchSize(draft), positions, draft.size()];
    const features = draft.graph.input("x", { dtype: "float32", shape });
    return { kind: "tokens", x: settled(draft, linear(draft, whole(draft, features), draft.size())) };
  },
  words(draft) {
    return { kind: "tokens", ...embedding(draft) };
  },
  image(draft) {
    const shape = [batchSize(draft), 1 + draft.below(3), draft.pick([4, 6]), draft.pick([2, 4, 6])];
    return { kind: "image", x: whole(draft, draft.graph.input("x", { dtype: "float32", shape })) };
  },
};

/** Standard normal features, rounded toward zero for exact arithmetic. */
function whole(draft: Draft, x: string): string {
  if (!draft.exact) return x;
  const [int32, float32] = [6, 1].map((value) => ({ to: { kind: "int", value } }) as const) as [never, never];
  return draft.emit("Cast", [draft.emit("Cast", [draft.emit("Mul", [x, draft.scalar(2)])], int32)], float32);
}

/** The last layer; sometimes a second one. */
function outputs(draft: Draft, x: string, table: string | undefined): readonly string[] {
  const units = () => 2 + draft.below(3);
  const tied = table !== undefined && draft.chance(0.6);
  const found = [tied ? tiedOutput(draft, x, table) : linear(draft, x, units())];
  if (draft.chance(0.2)) found.push(draft.as("several outputs", () => linear(draft, x, units())));
  return found;
}
