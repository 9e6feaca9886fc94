import { checkOptionNames } from "../tensor/known-options.ts";
import { parseCsv } from "./csv.ts";
import { type Dataset, dataset } from "./dataset.ts";
import { gunzip } from "./gzip.ts";
import type { Preprocessing } from "./preprocessing/preprocessing.ts";
import { type Split, splitDataset } from "./split.ts";

export interface DigitsOptions {
  /** Seed of the split; default 0. */
  readonly seed?: number;
  /** Fraction of the examples that go to `test`; default 0.2. */
  readonly testFraction?: number;
}

/**
 * The UCI optical digits that ship with the package: 1,797 handwritten digits, features [64] (8×8 pixels, row by
 * row, 0..1), labels 0..9, split into `train` and `test` with equal shares of each digit. Unpacked on each call.
 *
 * E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
 * doi 10.24432/C50P49, licensed CC BY 4.0: its test part as copied by scikit-learn; pixels are divided by 16 here.
 */
export async function digits(options: DigitsOptions = {}): Promise<Split> {
  checkOptionNames("digits", options, { seed: true, testFraction: true });
  const { seed = 0, testFraction = 0.2 } = options;
  return splitDataset(await allDigits(), testFraction, seed);
}

/** {@link digits} before they are split. */
export async function allDigits(): Promise<Dataset> {
  // Imported lazily, so that programs with their own data do not load these bytes.
  const { digitsBase64 } = await import("./digits-bytes.ts");
  const bytes = await gunzip(Uint8Array.from(atob(digitsBase64), (char) => char.charCodeAt(0)));
  const raw = parseCsv(new TextDecoder().decode(bytes), { name: "digits", header: false, target: "class" });
  const features = raw.features.map((pixel) => pixel / 16);
  const record: Preprocessing = {
    version: 1,
    features: { kind: "image", dims: [64], divisor: 16 },
    target: {
      kind: "class",
      name: "digit",
      classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    },
  };
  const { notes: _, ...read } = raw;
  return dataset({ ...read, features, classes: 10, preprocessing: record });
}
