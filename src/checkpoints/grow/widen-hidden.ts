import type { Width, WidthPart } from "../../growth/plan/width.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Anchor } from "../architecture/structure.ts";
import { byCopies, byPadding } from "./finder.ts";
import type { Growing } from "./growing.ts";

const narrow = ["float16", "bfloat16"];

/**
 * Widens the stream to a size. For a multiple of the old size, by copies of every entry, which is exact in
 * any element type; otherwise by entries that do not affect the norms, with everything written to the stream
 * multiplied by √(new / old), so that epsilons keep their effect. The latter rounds, and is an error in 16
 * bits.
 */
export function widenHidden(growing: Growing, to: number): void {
  const { sizes, fields, anchors, pinned } = growing.structure;
  const [from, field] = [sizes.hidden as number, fields.hidden?.[0] as string];
  if (to === from) return;
  const dtype = [...growing.tensors.values()][0]?.dtype ?? "float32";
  const copying = to % from === 0;
  if (!copying && narrow.includes(dtype)) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: `${field} ${to}`,
      rule: `is not a multiple of ${from}, and other sizes multiply weights by √(new / old), which ${dtype} rounds too coarsely`,
      received: to,
      remedy: `Use ${Math.ceil(to / from) * from}, or --dtype float32.`,
    });
  }
  const widths = growing.widths(
    field,
    anchors.hidden as readonly Anchor[],
    copying ? byCopies : byPadding,
  ) as readonly [Width, ...Width[]];
  checkFactor(growing, from, to, dtype);
  if (!copying) for (const width of widths) scaleStream(growing, width, Math.sqrt(to / from));
  const read = balance(growing, from, to, copying ? 1 : Math.sqrt(to / from));
  for (const width of widths) growing.widen(width, to - from, read);
  growing.configure({ ...pinned, ...Object.fromEntries((fields.hidden ?? []).map((key) => [key, to])) });
  growing.steps.push({ field, from, to, method: widths[0].method });
}

/** The class's factors at the old size, relative to those at the new one. */
function factorsOf({ structure }: Growing, from: number, to: number) {
  const { embeddingFactor = () => 1, headFactor = () => 1 } = structure;
  return { embedding: embeddingFactor(from) / embeddingFactor(to), head: headFactor(from) / headFactor(to) };
}

function checkFactor(growing: Growing, from: number, to: number, dtype: string): void {
  const { embedding, head } = factorsOf(growing, from, to);
  const exact = [embedding, head].every((factor) => Number.isInteger(Math.log2(factor)));
  if (exact || !narrow.includes(dtype)) return;
  throw new EspalierError("NOT_GROWABLE", {
    thing: `hidden size ${to}`,
    rule: `makes its class multiply embeddings by another number, which ${dtype} represents exactly only for a multiple of 4, 16, …`,
    received: to / from,
    remedy: `Use ${4 * from}, or --dtype float32.`,
  });
}

/**
 * Compensates for the change of the class's factors with the size; a tied head is affected by its table's
 * factor, too. Returns how many copies of each unit a tied head reads: reading several copies is exact where
 * a factor would be rounded.
 */
function balance(growing: Growing, from: number, to: number, written: number): number {
  const { structure } = growing;
  const factors = factorsOf(growing, from, to);
  scale(growing, structure.embedded ?? [], factors.embedding);
  const table = structure.tied ? factors.embedding * written : 1;
  const last = factors.head / table;
  if (structure.tied && to % (from * last) === 0) return last;
  scale(growing, structure.lastNorm, last);
  return 1;
}

/**
 * Multiplies everything added to the stream by `factor`, and divides the scales of the norms that read it.
 */
function scaleStream(growing: Growing, width: Width, factor: number): void {
  const { addedNorms } = growing.structure;
  for (const part of width.parts) {
    if (isWritten(part)) scale(growing, [part.parameter], factor);
    else if (part.role === "scale" && addedNorms?.test(part.parameter) !== true) {
      scale(growing, [part.parameter], 1 / factor);
    }
  }
}

const isWritten = ({ role, fill }: WidthPart) =>
  role === "incoming" || role === "shift" || (role === "outgoing" && fill === "zero");

function scale(growing: Growing, names: readonly string[], factor: number): void {
  if (factor === 1) return;
  for (const name of names) growing.change(name, { kind: "scale", factor, offset: growing.offsetOf(name) });
}
