import { encodings, missingRules } from "../data/table/options.ts";
import { activationNames } from "../nn/activation.ts";
import { type LossName, losses } from "../training/losses/index.ts";
import type { CsvReading, DataSource, NetworkConfig, Size, SplitConfig, TaskConfig } from "./config.ts";
import { defined, type JsonReader } from "./json-reader.ts";

export function readTask(reader: JsonReader): TaskConfig {
  reader.object(["data", "network", "loss", "batch", "split", "standardize"]);
  const data = readData(reader.field("data"));
  const batch = reader.field("batch");
  return {
    data,
    network: readNetwork(reader.field("network")),
    loss: reader.field("loss").oneOf(Object.keys(losses) as LossName[]),
    batch: batch.value === "full" ? "full" : batch.whole(),
    split: readSplit(reader.field("split"), data),
    standardize: reader.field("standardize").optional((flag) => flag.flag()) ?? false,
  };
}

const kinds = ["digits", "mnist", "characters", "student-teacher", "moons", "spirals", "xor", "csv"] as const;

function readData(reader: JsonReader): DataSource {
  reader.anyObject();
  const kind = reader.field("kind").oneOf(kinds);
  switch (kind) {
    case "mnist":
      reader.object(["kind", "folder"]);
      return { kind, folder: reader.field("folder").optional((folder) => folder.text()) ?? "mnist" };
    case "characters": {
      reader.object(["kind", "file", "context"]);
      const context = reader.field("context").optional((given) => given.whole()) ?? 8;
      return { kind, file: reader.field("file").text(), context };
    }
    case "student-teacher": {
      const sizes = ["inputs", "hidden", "outputs", "count"] as const;
      reader.object(["kind", ...sizes]);
      const size = (name: (typeof sizes)[number], otherwise: number) =>
        reader.field(name).optional((given) => given.whole()) ?? otherwise;
      return {
        kind,
        inputs: size("inputs", 10),
        hidden: size("hidden", 10),
        outputs: size("outputs", 10),
        count: size("count", 1000),
      };
    }
    case "csv":
      reader.object(["kind", "file", ...csvFields]);
      return { kind, file: reader.field("file").text(), ...readCsv(reader) };
    default:
      reader.object(["kind"]);
      return { kind };
  }
}

const csvFields = [
  "label",
  "target",
  "header",
  "delimiter",
  "skipRows",
  "comment",
  "decimal",
  "thousands",
  "encoding",
  "missing",
  "drop",
  "keep",
  "categories",
] as const satisfies readonly (keyof CsvReading)[];

function readCsv(reader: JsonReader): CsvReading {
  const text = (name: keyof CsvReading) => reader.field(name).optional((field) => field.text());
  const one = <Name extends string>(name: keyof CsvReading, names: readonly Name[]) =>
    reader.field(name).optional((field) => field.oneOf(names));
  const columns = (name: keyof CsvReading) =>
    reader.field(name).optional((field) => field.list().map((column) => column.text()));
  return defined({
    label: text("label"),
    target: one("target", ["class", "number", "auto"]),
    header: reader.field("header").optional((flag) => flag.flag()),
    delimiter: text("delimiter"),
    skipRows: reader.field("skipRows").optional((count) => count.whole(0)),
    comment: text("comment"),
    decimal: one("decimal", [".", ","]),
    thousands: text("thousands"),
    encoding: one("encoding", encodings),
    missing: one("missing", missingRules),
    drop: columns("drop"),
    keep: columns("keep"),
    categories: columns("categories"),
  });
}

function readNetwork(reader: JsonReader): NetworkConfig {
  reader.object(["kind", "activation", "bias", "batchNorm", "dropout"]);
  const kind = reader.field("kind").oneOf(["mlp", "cnn"]);
  const bias = reader.field("bias").optional((flag) => flag.flag()) ?? true;
  if (kind === "cnn" && !bias) throw reader.field("bias").wrong("can be false for an mlp alone");
  return {
    kind,
    activation: reader.field("activation").optional((name) => name.oneOf(activationNames)) ?? "relu",
    bias,
    batchNorm: reader.field("batchNorm").optional((flag) => flag.flag()) ?? false,
    dropout: reader.field("dropout").optional((ratio) => ratio.positive({ zero: true, most: 0.95 })) ?? 0,
  };
}

function readSplit(reader: JsonReader, data: DataSource): SplitConfig {
  reader.object(["validation", "test", "train", "seed"]);
  const validation = reader.field("validation");
  const test = reader.field("test").optional((share) => share.positive({ zero: true }));
  return {
    validation: validation.value === "train" ? "train" : validation.positive(),
    test: test ?? (data.kind === "student-teacher" ? 0 : 0.2),
    ...defined({
      train: reader.field("train").optional((most) => most.whole()),
      seed: reader.field("seed").optional((seed) => seed.whole(0)),
    }),
  };
}

export function readSize(reader: JsonReader, kind: "mlp" | "cnn"): Size {
  reader.object(["hidden", "filters"]);
  const sizes = (name: string) =>
    reader.field(name).optional((list) => list.list().map((size) => size.whole())) ?? [];
  if (kind === "mlp" && reader.field("filters").given) throw reader.field("filters").wrong("are for a cnn");
  const size = { hidden: sizes("hidden"), filters: sizes("filters") };
  if (size.hidden.length + size.filters.length > 0) return size;
  throw reader.wrong(kind === "mlp" ? "needs hidden: [units, ...]" : "needs filters: [channels, ...]");
}
