import type { DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { didYouMean } from "../../tensor/unknown-name.ts";
import { checkSizes } from "../architecture/check-sizes.ts";
import { type Anchor, mlpSizes, type SizeName, type Structure } from "../architecture/structure.ts";
import { type Checkpoint, shapesOf } from "../checkpoint.ts";
import { parseConfig } from "../folder/config.ts";
import type { Renumbering } from "../folder/generation.ts";
import { editJson, type JsonEdit } from "../folder/json-text.ts";
import { copyExperts } from "./copy-experts.ts";
import { deepen, type Insertions } from "./deepen.ts";
import { checkStreamed } from "./entry-fill.ts";
import { byZeroOutgoing } from "./finder.ts";
import { Growing, type GrownTensor, type Step, type Values } from "./growing.ts";
import { type Upcycling, upcycle } from "./upcycle.ts";
import { widenHeads } from "./widen-heads.ts";
import { widenHidden } from "./widen-hidden.ts";

/** What is asked of a folder. */
export interface FolderGrowth extends Values {
  /** New sizes by field of the configuration. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly after: Insertions;
  /** Experts that every MLP shall become. */
  readonly upcycling?: Upcycling | undefined;
  /** The type to store weights in; as they are where absent. */
  readonly dtype?: DType | undefined;
}

/** A folder as it shall be, with every tensor's shape; no value has been read. */
export interface PlannedFolder {
  readonly tensors: readonly GrownTensor[];
  readonly configText: string;
  readonly structure: Structure;
  readonly steps: readonly Step[];
  /** What changes in generation_config.json. */
  readonly renumberings: readonly Renumbering[];
  readonly values: Values;
  readonly dtype: DType;
}

/**
 * Plans to grow a folder. Depth comes first, then rows, heads, MLP and stream, each found by the axis rules in the graph as
 * it is by then. Throws `NOT_GROWABLE`, `CONFIG` or `ARGUMENT` for what is not exact or what the class would not open.
 */
export function planFolder(checkpoint: Checkpoint, growth: FolderGrowth): PlannedFolder {
  checkStreamed(growth.strategy);
  const dtype = growth.dtype ?? checkpoint.dtype;
  const growing = new Growing(checkpoint, { strategy: growth.strategy, seed: growth.seed }, dtype);
  const wanted = sizesOf(checkpoint.structure, growth.sizes);
  deepen(growing, growth.after);
  upcycle(growing, growth.upcycling, wanted);
  copyExperts(growing, wanted.get("experts"), wanted.get("perToken"));
  for (const name of ["vocab", "positions"] as const) addRows(growing, name, wanted.get(name));
  const { sizes } = growing.structure;
  if (sizes.kv !== undefined) {
    widenHeads(growing, wanted.get("heads") ?? (sizes.heads as number), wanted.get("kv") ?? sizes.kv);
  } else widenPlainly(growing, "heads", wanted.get("heads"));
  for (const name of mlpSizes) widenPlainly(growing, name, wanted.get(name));
  widenHidden(growing, wanted.get("hidden") ?? (sizes.hidden as number));
  const configText = configOf(checkpoint, growing, dtype);
  return {
    tensors: [...growing.tensors.values()],
    configText,
    structure: checked(growing, configText),
    steps: growing.steps,
    renumberings: growing.renumberings,
    values: growing.values,
    dtype,
  };
}

/** The sizes asked for by what they are. Throws `UNKNOWN_WIDTH` for a field that is none, `ARGUMENT` for a smaller size. */
function sizesOf(structure: Structure, asked: ReadonlyMap<string, number>): Map<SizeName, number> {
  const nameOf = new Map<string, SizeName>();
  for (const [name, keys] of Object.entries(structure.fields)) {
    for (const key of keys ?? []) nameOf.set(key, name as SizeName);
  }
  const wanted = new Map<SizeName, number>();
  for (const [field, to] of asked) {
    const name = nameOf.get(field);
    const counted = structure.stacks.map((stack): SizeName => stack.size);
    if (name === undefined || counted.includes(name)) {
      const known = [...nameOf].filter(([, size]) => !counted.includes(size)).map(([key]) => key);
      const meant = didYouMean(field, known);
      throw new EspalierError("UNKNOWN_WIDTH", {
        thing: "field",
        rule: name === undefined ? "must be one that gives a size" : "grows by --deepen",
        received: field,
        remedy: `${meant === undefined ? "" : `${meant} `}Fields that can grow: ${known.join(", ")}.`,
      });
    }
    const from = structure.sizes[name] as number;
    if (!Number.isSafeInteger(to) || to < from) {
      throw new EspalierError("ARGUMENT", {
        thing: field,
        rule: `must be a whole number, and at least the ${from} that it is`,
        received: to,
        remedy: "Folders only grow.",
      });
    }
    if ((wanted.get(name) ?? to) !== to) {
      throw new EspalierError("ARGUMENT", {
        thing: (structure.fields[name] ?? []).join(" and "),
        rule: "must grow to the same size: they are one width of the model",
        received: [wanted.get(name), to],
      });
    }
    wanted.set(name, to);
  }
  return wanted;
}

function widenPlainly(growing: Growing, name: SizeName, to: number | undefined): void {
  const { sizes, fields, anchors, pinned } = growing.structure;
  const [from, field] = [sizes[name] as number, fields[name]?.[0] as string];
  if (to === undefined || to === from) return;
  const widths = growing.widths(field, anchors[name] as readonly Anchor[], byZeroOutgoing);
  for (const width of widths) growing.widen(width, to - from);
  const pins = name === "heads" ? pinned : {};
  growing.configure({ ...pins, ...Object.fromEntries((fields[name] ?? []).map((key) => [key, to])) });
  growing.steps.push({ field, from, to, method: widths.length === 0 ? "no weights" : "zero outgoing" });
}

/** New rows of the vocabulary, or of tables of positions: what was computed before does not look at them. */
function addRows(growing: Growing, name: "vocab" | "positions", to: number | undefined): void {
  const { sizes, fields, vocabulary, positions, initializer } = growing.structure;
  const [from, field] = [sizes[name] as number, fields[name]?.[0] as string];
  if (to === undefined || to === from) return;
  const tables = name === "vocab" ? vocabulary : positions.map((table) => table.name);
  for (const table of tables) {
    const { dims } = growing.tensors.get(table) as GrownTensor;
    const deviation = dims.length === 1 ? 0 : initializer;
    const grown = [(dims[0] as number) + to - from, ...dims.slice(1)];
    growing.change(table, { kind: "rows", by: to - from, deviation }, grown);
  }
  growing.configure(Object.fromEntries((fields[name] ?? []).map((key) => [key, to])));
  growing.steps.push({ field, from, to, method: tables.length === 0 ? "no weights" : "new rows" });
}

/** config.json with the values that changed; the others keep the text that they have. */
function configOf(checkpoint: Checkpoint, growing: Growing, dtype: DType): string {
  const edits: JsonEdit[] = [];
  for (const [key, value] of Object.entries(growing.config.values)) {
    if (JSON.stringify(checkpoint.config.values[key]) === JSON.stringify(value)) continue;
    edits.push({ path: [key], text: JSON.stringify(value) });
  }
  if (dtype !== checkpoint.dtype) {
    const key = checkpoint.config.has("torch_dtype") ? "torch_dtype" : "dtype";
    edits.push({ path: [key], text: JSON.stringify(dtype) });
  }
  return editJson(checkpoint.text, edits, checkpoint.config.thing);
}

/** The new folder's structure, as its own text says; it must be the one that was planned, and the class must take it. */
function checked({ family, structure, tensors }: Growing, text: string): Structure {
  const { config } = parseConfig(text);
  const found = family.read(config, (name) => tensors.has(name));
  for (const [name, size] of Object.entries(structure.sizes)) {
    if (found.sizes[name as SizeName] === size) continue;
    const field = found.fields[name as SizeName]?.[0] ?? "the size of a head";
    throw new EspalierError("NOT_GROWABLE", {
      thing: field,
      rule: `would have to stay ${size}, and the class computes ${found.sizes[name as SizeName]} from its other fields`,
      received: size,
      remedy: "Widen the hidden size and the heads by the same factor.",
    });
  }
  const [broken] = family.rules(config, found);
  if (broken !== undefined) {
    const { field, rule, received, remedy } = broken;
    throw new EspalierError("NOT_GROWABLE", { thing: field, rule, received, remedy });
  }
  // Every shape must be the one that the new configuration asks for.
  shapesOf(found, tensors);
  checkSizes("the new folder", found, tensors);
  return found;
}
