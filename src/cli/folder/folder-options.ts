import { type Command, Option } from "commander";
import type { Structure } from "../../checkpoints/architecture/structure.ts";
import type { Insertions } from "../../checkpoints/grow/deepen.ts";
import type { Upcycling } from "../../checkpoints/grow/upcycle.ts";
import type { DType } from "../../tensor/dtype.ts";
import { badOption, oneOf, wholeNumber } from "../options/option-values.ts";

/** The options of `espalier grow` for folders, as typed. */
export interface FolderOptions {
  readonly vocab?: string;
  readonly vocabMultipleOf?: string;
  readonly positions?: string;
  readonly multipleOf?: string;
  readonly dtype?: string;
  readonly maxShardSize?: string;
  readonly optimizer?: string;
  readonly experts?: string;
  readonly expertsPerToken?: string;
}

export function folderOptions(command: Command): Command {
  return command
    .option(
      "--vocab <size>",
      "+256, x2 or 50432: new ids, with their rows and classes; the tokenizer stays as it is",
    )
    .optionsGroup("Checkpoint folders:")
    .option("--vocab-multiple-of <count>", "the next multiple of it")
    .option("--positions <count>", "largest number of positions")
    .option(
      "--experts <count>",
      "makes every MLP a choice among this many copies of itself (Mixtral, Qwen-MoE)",
    )
    .option("--experts-per-token <count>", "experts that each token goes through (default: 2)")
    .option("--multiple-of <count>", "rounds sizes of --widen up to multiples of it, such as 128")
    .addOption(
      new Option("--dtype <type>", "type to store weights in: float32, float64, bfloat16 or float16"),
    )
    .option("--max-shard-size <bytes>", "such as 5GB (default: files as they are)")
    .option(
      "--optimizer <file>",
      "state of AdamW or SGD that grows with it: optimizer.pt or safetensors (default: none)",
    )
    .optionsGroup("Options:");
}

/** The given flags of {@link FolderOptions} that apply only to folders. */
export function givenFolderOptions(options: FolderOptions): readonly string[] {
  const names = [
    "vocabMultipleOf",
    "positions",
    "multipleOf",
    "dtype",
    "maxShardSize",
    "optimizer",
    "experts",
    "expertsPerToken",
  ] as const;
  return names
    .filter((name) => options[name] !== undefined)
    .map((name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
}

/** New sizes by field, from `--widen`, `--vocab` and `--positions`. Throws `USAGE`. */
export function folderSizes(
  widen: readonly string[],
  options: FolderOptions,
  { sizes, fields }: Structure,
): ReadonlyMap<string, number> {
  const now = new Map<string, number>();
  for (const [name, keys] of Object.entries(fields)) {
    for (const key of keys ?? []) now.set(key, sizes[name as keyof typeof sizes] as number);
  }
  const multiple = options.multipleOf === undefined ? 1 : wholeNumber("--multiple-of", options.multipleOf);
  const wanted = new Map<string, number>();
  for (const text of widen.flatMap((list) => list.split(","))) {
    const [, field = "", amount = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (field === "") throw badOption("--widen", "must be FIELD=+UNITS, FIELD=xFACTOR or FIELD=SIZE", text);
    const to = sizeAfter("--widen", amount, now.get(field) ?? 0);
    wanted.set(field, Math.ceil(to / multiple) * multiple);
  }
  const vocab = fields.vocab?.[0] ?? "vocab_size";
  if (options.vocab !== undefined)
    wanted.set(vocab, sizeAfter("--vocab", options.vocab, now.get(vocab) ?? 0));
  if (options.vocabMultipleOf !== undefined) {
    const step = wholeNumber("--vocab-multiple-of", options.vocabMultipleOf);
    wanted.set(vocab, Math.ceil((wanted.get(vocab) ?? now.get(vocab) ?? 0) / step) * step);
  }
  const positions = fields.positions?.[0] ?? "max_position_embeddings";
  if (options.positions !== undefined) {
    wanted.set(positions, sizeAfter("--positions", options.positions, now.get(positions) ?? 0));
  }
  return wanted;
}

function sizeAfter(option: string, text: string, now: number): number {
  const [, sign = "", digits = ""] = /^([+x]?)(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  const number = Number(digits);
  const to = sign === "+" ? now + number : sign === "x" ? Math.round(now * number * 1e6) / 1e6 : number;
  if (digits !== "" && Number.isSafeInteger(to) && to > 0) return to;
  throw badOption(option, "must come out whole, as +256, x1.5 or 2048", text);
}

/** Layers after which new ones are inserted, from `--deepen after=9,19` or `encoder.after=9`. Throws `USAGE`. */
export function deepenedLayers(texts: readonly string[]): Insertions {
  const insertions = new Map<"" | "encoder" | "decoder", readonly number[]>();
  for (const text of texts) {
    const [, stack = "", list = ""] = /^(?:(encoder|decoder)\.)?after=(\d+(?:,\d+)*)$/.exec(text) ?? [];
    if (list === "") {
      const rule =
        "of a folder must be after=LAYERS, such as after=9,19,29, or encoder.after= or decoder.after=";
      throw badOption("--deepen", rule, text);
    }
    const name = stack as "" | "encoder" | "decoder";
    insertions.set(name, [...(insertions.get(name) ?? []), ...list.split(",").map(Number)]);
  }
  return insertions;
}

/** What `--experts` and `--experts-per-token` ask for. Throws `USAGE`. */
export function upcyclingOf({ experts, expertsPerToken }: FolderOptions): Upcycling | undefined {
  if (experts === undefined && expertsPerToken === undefined) return undefined;
  if (experts === undefined) {
    throw badOption("--experts-per-token", "needs --experts", expertsPerToken, "For example --experts 8.");
  }
  return {
    experts: wholeNumber("--experts", experts, 2),
    perToken: wholeNumber("--experts-per-token", expertsPerToken ?? "2"),
  };
}

export function storedType(text: string | undefined): DType | undefined {
  if (text === undefined) return undefined;
  return oneOf<DType>("--dtype", text, ["float32", "float64", "bfloat16", "float16"]);
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
};

/** "5GB" in bytes. Throws `USAGE`. */
export function shardBytes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([KMG]i?B)?$/i.exec(text) ?? [];
  const bytes = Number(digits) * (units[unit.toUpperCase()] ?? Number.NaN);
  if (digits !== "" && bytes >= 1) return Math.floor(bytes);
  throw badOption("--max-shard-size", "must be a number of bytes, such as 5GB or 500MB", text);
}
