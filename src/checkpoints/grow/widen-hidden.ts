import type { Width, WidthPart } from "../../growth/plan/width.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Anchor } from "../architecture/structure.ts";
import { byCopies, byPadding } from "./finder.ts";
import type { Growing } from "./growing.ts";

const narrow = ["float16", "bfloat16"];

/**
 * Brings the stream to a size: by copies of every entry where it is a multiple, which is exact in any element type; else by
 * entries that norms do not see, with what is written to the stream multiplied by √(new / old), so that epsilons stay as
 * they are. The latter rounds, and is refused in 16 bits.
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
      rule: `is no multiple of ${from}, and other sizes multiply weights by √(new / old), which ${dtype} rounds too coarsely`,
      received: to,
      remedy: `Take ${Math.ceil(to / from) * from}, or --dtype float32.`,
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

/** What the class multiplies by at the new size, relative to the old one. */
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
    rule: `makes its class multiply embeddings by another number, which ${dtype} holds exactly only for a multiple of 4, 16, …`,
    received: to / from,
    remedy: `Take ${4 * from}, or --dtype float32.`,
  });
}

/**
 * Undoes what the class multiplies by because the size is another one; a tied head sees what its table was multiplied by.
 * Gives how many times a tied head shall read each unit: copies that it reads are exact where a factor would be rounded.
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

/** Everything that is added to the stream times `factor`; the norms that read it by as much less. */
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
