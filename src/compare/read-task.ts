import type { Field } from "../data/sources/data-source.ts";
import { type DataSource, fieldsOf, sourceKind, sourceNames } from "../data/sources/index.ts";
import { activationNames } from "../nn/activation.ts";
import { losses } from "../training/losses/index.ts";
import { metrics } from "../training/metrics/index.ts";
import type { NetworkConfig, Size, SplitConfig, TaskConfig } from "./config.ts";
import { defined, type JsonReader } from "./json-reader.ts";
import { readNamed } from "./read-named.ts";

export function readTask(reader: JsonReader): TaskConfig {
  reader.object(["data", "network", "loss", "metrics", "batch", "split", "standardize"]);
  const data = readData(reader.field("data"));
  const batch = reader.field("batch");
  return {
    data,
    network: readNetwork(reader.field("network")),
    loss: readNamed(reader.field("loss"), losses),
    ...defined({
      metrics: reader.field("metrics").optional((list) => list.list().map((one) => readNamed(one, metrics))),
    }),
    batch: batch.value === "full" ? "full" : batch.whole(),
    split: readSplit(reader.field("split"), data),
    standardize: reader.field("standardize").optional((flag) => flag.flag()) ?? false,
  };
}

function readData(reader: JsonReader): DataSource {
  reader.anyObject();
  const kind = reader.field("kind").oneOf(sourceNames);
  const fields = fieldsOf(kind);
  reader.object(["kind", ...Object.keys(fields)]);
  const values = Object.entries(fields).map(([name, field]) => [name, readField(reader.field(name), field)]);
  return { kind, ...defined(Object.fromEntries(values)) } as DataSource;
}

function readField(reader: JsonReader, field: Field): unknown {
  if (!reader.given && "default" in field) return field.default;
  if (!reader.given && field.type !== "file") return undefined;
  switch (field.type) {
    case "file":
    case "text":
      return reader.text();
    case "whole":
      return reader.whole(field.least);
    case "flag":
      return reader.flag();
    case "one":
      return reader.oneOf(field.of);
    case "texts":
      return reader.list().map((text) => text.text());
  }
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
    test: test ?? sourceKind(data.kind).testShare ?? 0.2,
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
