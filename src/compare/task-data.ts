import { characters } from "../data/characters.ts";
import { loadCsv } from "../data/csv.ts";
import { type Dataset, reshapeFeatures } from "../data/dataset.ts";
import { digits } from "../data/digits.ts";
import { spirals } from "../data/generated/spirals.ts";
import { studentTeacher } from "../data/generated/student-teacher.ts";
import { twoMoons } from "../data/generated/two-moons.ts";
import { xor } from "../data/generated/xor.ts";
import { mnist } from "../data/mnist.ts";
import { splitDataset } from "../data/split.ts";
import { applyStandardizer, standardizer } from "../data/standardize.ts";
import { EspalierError } from "../tensor/errors.ts";
import type { DataSource, SplitConfig, TaskConfig } from "./config.ts";

export interface TaskParts {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test?: Dataset;
}

interface Loaded {
  readonly train: Dataset;
  readonly validation?: Dataset;
  readonly test?: Dataset;
}

/** Loads and splits the data that jobs train on; files are read once. */
export class TaskData {
  readonly #folder: string;
  readonly #files = new Map<string, Promise<Loaded>>();
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

  async #load({ data, network, split }: TaskConfig, splitSeed: number, seed: number): Promise<Loaded> {
    switch (data.kind) {
      case "digits":
        return digits({ seed: splitSeed, testFraction: split.test < 1 && split.test > 0 ? split.test : 0.2 });
      case "mnist": {
        const flat = network.kind === "mlp";
        return this.#once(`mnist ${data.folder} ${flat}`, () => mnist(this.#path(data.folder), { flat }));
      }
      case "characters": {
        const { file, context } = data;
        const train = split.train ?? 20_000;
        const { validation } = split;
        const held =
          validation === "train" ? train : validation < 1 ? Math.round(validation * train) : validation;
        return this.#once(JSON.stringify([file, context, train, held, splitSeed]), () =>
          characters(this.#path(file), { context, train, held, seed: splitSeed }),
        );
      }
      case "csv":
        return this.#once(JSON.stringify(data), async () => ({ train: await this.#csv(data) }));
      case "student-teacher":
        return { train: studentTeacher({ ...data, seed }) };
      case "moons":
        return { train: twoMoons({ seed: splitSeed }) };
      case "spirals":
        return { train: spirals({ seed: splitSeed }) };
      case "xor":
        return { train: xor({ seed: splitSeed }) };
    }
  }

  #csv({ kind: _, file, ...reading }: Extract<DataSource, { kind: "csv" }>): Promise<Dataset> {
    return loadCsv(this.#path(file), reading);
  }

  #path(name: string): string {
    return name.startsWith("/") ? name : `${this.#folder}/${name}`;
  }

  #once(key: string, load: () => Promise<Loaded>): Promise<Loaded> {
    const known = this.#files.get(key);
    if (known !== undefined) return known;
    // One at a time: otherwise the split of another seed would stay in memory for good.
    this.#files.clear();
    const loading = load();
    this.#files.set(key, loading);
    return loading;
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
