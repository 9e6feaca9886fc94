import { resolve } from "node:path";
import { type Dataset, reshapeFeatures } from "../../data/dataset.ts";
import type { Preprocessing } from "../../data/preprocessing/index.ts";
import { type DataSource, loadSource, sourceNames, withFiles } from "../../data/sources/index.ts";
import { parseSource, sourceForm, sourceHelp, sourceText } from "../../data/sources/source-text.ts";
import { type Split, splitDataset } from "../../data/split.ts";
import { applyStandardizer, standardizer } from "../../data/standardize.ts";
import { planTable } from "../../data/table/plan.ts";
import { readTable } from "../../data/table/read.ts";
import { splitTable } from "../../data/table-split.ts";
import { didYouMean } from "../../tensor/unknown-name.ts";
import { sha256 } from "../../training/history/checkpoint.ts";
import { badOption } from "./option-values.ts";
import type { TableReading } from "./table-options.ts";

/** What `--data` accepts, as a line of help. */
export const dataHelp = sourceNames
  .map((name) => (name === "csv" ? "FILE.csv[.gz]" : sourceHelp(name)))
  .join(", ");

/** The source that `--data` names. Throws `USAGE`. */
export function parseData(text: string): DataSource {
  const source = parseSource(text);
  if (source !== undefined) return source;
  const [scheme] = text.split(":");
  const name = sourceNames.find((name) => name === scheme);
  if (name === undefined && /\.csv(\.gz)?$/i.test(text)) return { kind: "csv", file: text };
  const forms = sourceNames.map(sourceForm);
  const meant = name === undefined ? didYouMean(text, forms) : `Did you mean ${sourceHelp(name)}?`;
  throw badOption(
    "--data",
    `must be FILE.csv, FILE.csv.gz, ${forms.slice(0, -1).join(", ")} or ${forms.at(-1)}`,
    text,
    meant ?? `A file of rows that has another name is csv:${text === "" ? "FILE" : text}.`,
  );
}

/** The same choice with absolute paths, so that a run can be resumed from another folder. */
export function absoluteData(text: string): string {
  return sourceText(withFiles(parseData(text), (file) => resolve(file)));
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
  const choice = parseData(options.data);
  if (choice.kind === "csv") return loadTable(choice.file, options);
  const parts = await loadParts(choice, options);
  if (!options.standardize) return parts;
  const statistics = standardizer(parts.train);
  return eachPart(parts, (part) => applyStandardizer(part, statistics));
}

/** The parts that a source provides; the others are split off from its training examples. */
async function loadParts(choice: DataSource, options: DataOptions): Promise<TrainingData> {
  const { seed, testFraction, validationFraction, images, table } = options;
  const wanted = validationFraction > 0;
  const loaded = await loadSource(choice.kind === "idx" ? { ...choice, ...axesOf(table) } : choice, {
    seed,
    splitSeed: seed,
    flat: !images,
    ...(wanted ? { validation: validationFraction } : {}),
  });
  const { train, test } =
    loaded.test === undefined
      ? splitDataset(loaded.train, testFraction, seed)
      : { train: loaded.train, test: loaded.test };
  const whole = eachPart({ train, test }, (part) => shaped(part, images));
  if (!wanted) return whole;
  if (loaded.validation !== undefined) return { ...whole, validation: shaped(loaded.validation, images) };
  const held = splitDataset(whole.train, validationFraction, seed);
  return { ...whole, train: held.train, validation: held.test };
}

const axesOf = ({ axes }: TableReading) => (axes === undefined ? {} : { axes });

function eachPart(
  { train, test, validation }: TrainingData,
  change: (part: Dataset) => Dataset,
): TrainingData {
  return {
    train: change(train),
    test: change(test),
    ...(validation === undefined ? {} : { validation: change(validation) }),
  };
}

async function loadTable(file: string, options: DataOptions): Promise<TrainingData> {
  const { table, images } = options;
  const parts = splitTable(planTable(await readTable(file, table), table), options);
  return eachPart(parts, (part) => shaped(part, images));
}

/** Reshapes rows to square images if a convolution needs them; generated points and most tables cannot be. */
function shaped(data: Dataset, images: boolean): Dataset {
  if (!images || data.featureDims.length === 3) return data;
  const features = data.featureDims.reduce((product, dim) => product * dim, 1);
  const side = Math.sqrt(features);
  if (Number.isInteger(side) && side >= 4) return reshapeFeatures(data, [1, side, side]);
  throw badOption(
    "--conv",
    `needs images; "${data.name}" has ${features} features, which do not form a square of at least 4 × 4`,
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
