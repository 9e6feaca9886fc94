import { resolve } from "node:path";
import { type Dataset, reshapeFeatures } from "../../data/dataset.ts";
import { digits } from "../../data/digits.ts";
import { spirals } from "../../data/generated/spirals.ts";
import { studentTeacher } from "../../data/generated/student-teacher.ts";
import { twoMoons } from "../../data/generated/two-moons.ts";
import { xor } from "../../data/generated/xor.ts";
import { loadIdx } from "../../data/idx.ts";
import { mnist } from "../../data/mnist.ts";
import type { Preprocessing } from "../../data/preprocessing/index.ts";
import { type Split, splitDataset } from "../../data/split.ts";
import { applyStandardizer, standardizer } from "../../data/standardize.ts";
import { planTable } from "../../data/table/plan.ts";
import { readTable } from "../../data/table/read.ts";
import { splitTable } from "../../data/table-split.ts";
import { didYouMean } from "../../tensor/unknown-name.ts";
import { sha256 } from "../../training/history/checkpoint.ts";
import { badOption } from "./option-values.ts";
import type { TableReading } from "./table-options.ts";

const generated = {
  xor: (seed: number) => xor({ seed }),
  moons: (seed: number) => twoMoons({ seed }),
  spirals: (seed: number) => spirals({ seed }),
  "student-teacher": (seed: number) => studentTeacher({ seed }),
} as const;

/** The source that `--data` names. */
export type DataChoice =
  | { readonly kind: "digits" }
  | { readonly kind: "generated"; readonly set: keyof typeof generated }
  | { readonly kind: "mnist"; readonly folder: string }
  | { readonly kind: "csv"; readonly file: string }
  | { readonly kind: "idx"; readonly images: string; readonly labels: string };

/** Throws `USAGE`. */
export function parseData(text: string): DataChoice {
  if (text === "digits") return { kind: "digits" };
  if (Object.hasOwn(generated, text)) return { kind: "generated", set: text as keyof typeof generated };
  const [, scheme, rest = ""] = /^(mnist|idx|csv):(.+)$/s.exec(text) ?? [];
  if (scheme === "mnist") return { kind: "mnist", folder: rest };
  if (scheme === "csv") return { kind: "csv", file: rest };
  const [images = "", labels = "", ...more] = rest.split(",");
  if (scheme === "idx" && images !== "" && labels !== "" && more.length === 0)
    return { kind: "idx", images, labels };
  if (/\.csv(\.gz)?$/i.test(text)) return { kind: "csv", file: text };
  const names = ["digits", ...Object.keys(generated)];
  throw badOption(
    "--data",
    `must be ${names.join(", ")}, mnist:FOLDER, FILE.csv, FILE.csv.gz, csv:FILE or idx:IMAGES,LABELS`,
    text,
    didYouMean(text, [...names, "mnist:FOLDER", "idx:IMAGES,LABELS"]) ??
      `A file of rows that has another name is csv:${text === "" ? "FILE" : text}.`,
  );
}

/** The same choice with absolute paths, so that a run can be resumed from another folder. */
export function absoluteData(text: string): string {
  const choice = parseData(text);
  switch (choice.kind) {
    case "mnist":
      return `mnist:${resolve(choice.folder)}`;
    case "csv":
      return `csv:${resolve(choice.file)}`;
    case "idx":
      return `idx:${resolve(choice.images)},${resolve(choice.labels)}`;
    default:
      return text;
  }
}

export interface DataOptions {
  readonly data: string;
  /** How a CSV file is read. */
  readonly table: TableReading;
  readonly standardize: boolean;
  /** Whether numeric targets are scaled too. */
  readonly scaleTarget: boolean;
  /** A model's record of the rows that it takes: used for a CSV file instead of learning one from its rows. */
  readonly record?: Preprocessing;
  readonly testFraction: number;
  /** Fraction of the training examples held out for early stopping; 0 for none. */
  readonly validationFraction: number;
  readonly seed: number;
  /** Whether the network wants images [channels, height, width] rather than rows. */
  readonly images: boolean;
}

export interface TrainingData extends Split {
  readonly validation?: Dataset;
}

/** Loads and splits; statistics for standardizing come from the training part alone. Throws what loading throws. */
export async function loadData(options: DataOptions): Promise<TrainingData> {
  const { seed, testFraction, validationFraction } = options;
  const choice = parseData(options.data);
  if (choice.kind === "csv") return loadTable(choice.file, options);
  const loaded = await load(choice, options);
  const whole = { train: shaped(loaded.train, options.images), test: shaped(loaded.test, options.images) };
  const held = validationFraction > 0 ? splitDataset(whole.train, validationFraction, seed) : undefined;
  const parts = {
    train: held?.train ?? whole.train,
    test: whole.test,
    ...(held === undefined ? {} : { validation: held.test }),
  };
  if (!options.standardize) return parts;
  const statistics = standardizer(parts.train);
  return {
    train: applyStandardizer(parts.train, statistics),
    test: applyStandardizer(parts.test, statistics),
    ...(parts.validation === undefined
      ? {}
      : { validation: applyStandardizer(parts.validation, statistics) }),
  };

  function load(
    choice: Exclude<DataChoice, { kind: "csv" }>,
    { images, table: { axes } }: DataOptions,
  ): Promise<Split> {
    switch (choice.kind) {
      case "digits":
        return digits({ seed, testFraction });
      case "generated":
        return Promise.resolve(splitDataset(generated[choice.set](seed), testFraction, seed));
      case "mnist":
        return mnist(choice.folder, { flat: !images });
      case "idx":
        return loadIdx(choice.images, choice.labels, axes === undefined ? {} : { axes }).then((data) =>
          splitDataset(data, testFraction, seed),
        );
    }
  }
}

async function loadTable(file: string, options: DataOptions): Promise<TrainingData> {
  const { table, images } = options;
  const parts = splitTable(planTable(await readTable(file, table), table), options);
  return {
    train: shaped(parts.train, images),
    test: shaped(parts.test, images),
    ...(parts.validation === undefined ? {} : { validation: shaped(parts.validation, images) }),
  };
}

/** Reshapes rows to square images if a convolution needs them; generated points and most tables cannot be. */
function shaped(data: Dataset, images: boolean): Dataset {
  if (!images || data.featureDims.length === 3) return data;
  const features = data.featureDims.reduce((product, dim) => product * dim, 1);
  const side = Math.sqrt(features);
  if (Number.isInteger(side) && side >= 4) return reshapeFeatures(data, [1, side, side]);
  throw badOption(
    "--conv",
    `needs images; "${data.name}" has ${features} features, which is no square of at least 4 × 4`,
    data.featureDims,
    "Omit --conv, or use digits, mnist:FOLDER or idx:IMAGES,LABELS.",
  );
}

/** The same options with what a model's record says: which column is the label, and what kind it is. */
export function withRecord(options: DataOptions, record: Preprocessing | undefined): DataOptions {
  if (record === undefined || record.features.kind !== "table") return options;
  return { ...options, record, table: tableWith(options.table, record) };
}

/** How a table is read for a model, unless the options say otherwise. */
export function tableWith(table: TableReading, { features, target }: Preprocessing): TableReading {
  if (target === undefined) return table;
  const named = features.kind === "table" && features.named;
  return { ...(named ? { label: target.name } : {}), ...table, target: target.kind };
}

/** SHA-256 of all examples, to check that a resumed run sees the data it began with. */
export async function fingerprint(data: TrainingData): Promise<string> {
  const digests: string[] = [];
  for (const part of [data.train, data.validation, data.test]) {
    for (const values of [part?.features, part?.labels, part?.targets]) {
      if (values === undefined) continue;
      digests.push(await sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)));
    }
  }
  return sha256(new TextEncoder().encode(digests.join()));
}
