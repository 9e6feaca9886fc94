import { type Dataset, reshapeFeatures } from "../data/dataset.ts";
import type { LoadedData } from "../data/sources/data-source.ts";
import { loadSource, sourceKind, withFiles } from "../data/sources/index.ts";
import { splitDataset } from "../data/split.ts";
import { applyStandardizer, standardizer } from "../data/standardize.ts";
import { EspalierError } from "../tensor/errors.ts";
import type { SplitConfig, TaskConfig } from "./config.ts";
import { defined } from "./json-reader.ts";

export interface TaskParts {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test?: Dataset;
}

/** Loads and splits the data that jobs train on; files are read once. */
export class TaskData {
  readonly #folder: string;
  /** One at a time: otherwise the data of another seed would stay in memory for good. */
  #loaded: { readonly key: string; readonly data: Promise<LoadedData> } | undefined;
  /** Consecutive jobs mostly want the same data. */
  #last: { readonly key: string; readonly parts: Promise<TaskParts> } | undefined;

  /** `folder` is where the files that tasks name are. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Throws what loading and splitting throw. */
  async parts(task: TaskConfig, seed: number): Promise<TaskParts> {
    const key = JSON.stringify([task, seed]);
    if (this.#last?.key !== key) this.#last = { key, parts: this.#cut(task, seed) };
    return this.#last.parts;
  }

  async #cut(task: TaskConfig, seed: number): Promise<TaskParts> {
    const { split } = task;
    const splitSeed = split.seed ?? seed;
    const { train, validation, test } = await this.#load(task, splitSeed, seed);
    const tested = test === undefined && split.test > 0 ? cut(train, split.test, splitSeed) : { train, test };
    const held =
      validation !== undefined || split.validation === "train"
        ? { train: tested.train, test: validation }
        : cut(roomy(tested.train, split, splitSeed), split.validation, splitSeed);
    const kept = atMost(held.train, split.train, splitSeed);
    const parts = { train: kept, validation: held.test ?? kept };
    return fitted({ ...parts, ...(tested.test === undefined ? {} : { test: tested.test }) }, task);
  }

  #load({ data, network, split }: TaskConfig, splitSeed: number, seed: number): Promise<LoadedData> {
    const source = withFiles(data, (name) => (name.startsWith("/") ? name : `${this.#folder}/${name}`));
    const flat = network.kind === "mlp";
    const request = {
      seed,
      splitSeed,
      flat,
      ...defined({ train: split.train }),
      validation: split.validation,
    };
    const key = JSON.stringify([source, sourceKind(data.kind).drawn ? request : flat]);
    if (this.#loaded?.key !== key) this.#loaded = { key, data: loadSource(source, request) };
    return this.#loaded.data;
  }
}

/** A fraction below 1, or a count. */
function cut(data: Dataset, amount: number, seed: number) {
  return splitDataset(data, amount < 1 ? amount : amount / data.count, seed);
}

/** The examples for training and validation, so that large data are copied only once. */
function roomy(data: Dataset, { train, validation }: SplitConfig, seed: number): Dataset {
  const counted = typeof validation === "number" && validation >= 1;
  return counted && train !== undefined ? atMost(data, train + validation, seed) : data;
}

function atMost(data: Dataset, most: number | undefined, seed: number): Dataset {
  return most === undefined || most >= data.count ? data : splitDataset(data, most / data.count, seed).test;
}

function fitted(parts: TaskParts, { network, standardize }: TaskConfig): TaskParts {
  const statistics = standardize ? standardizer(parts.train) : undefined;
  const prepare = (data: Dataset) => {
    const scaled = statistics === undefined ? data : applyStandardizer(data, statistics);
    return network.kind === "cnn" ? asImages(scaled) : scaled;
  };
  return {
    train: prepare(parts.train),
    validation: prepare(parts.validation),
    ...(parts.test === undefined ? {} : { test: prepare(parts.test) }),
  };
}

function asImages(data: Dataset): Dataset {
  if (data.featureDims.length === 3) return data;
  const size = data.featureDims.reduce((product, dim) => product * dim, 1);
  const side = Math.sqrt(size);
  if (Number.isInteger(side)) return reshapeFeatures(data, [1, side, side]);
  throw new EspalierError("CONFIG", {
    thing: "task.network.kind",
    rule: `a cnn needs square images; "${data.name}" has ${size} features`,
    received: "cnn",
  });
}
