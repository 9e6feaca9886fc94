import type { Dataset } from "../dataset.ts";

/**
 * A setting of a source. Types, the checks of a comparison, the forms of the data option and help texts
 * follow from it.
 */
export type Field =
  /** A file or folder; `word` stands for it in help texts. */
  | { readonly type: "file"; readonly word: string; readonly default?: string }
  | { readonly type: "whole"; readonly least?: number; readonly default?: number }
  | { readonly type: "text" }
  | { readonly type: "flag" }
  | { readonly type: "one"; readonly of: readonly string[] }
  | { readonly type: "texts" };

export type Fields = Readonly<Record<string, Field>>;

export interface Values {
  readonly file: string;
  readonly whole: number;
  readonly text: string;
  readonly flag: boolean;
  readonly texts: readonly string[];
}

export type ValueOf<One extends Field> = One extends { readonly of: readonly (infer Name)[] }
  ? Name
  : One["type"] extends keyof Values
    ? Values[One["type"]]
    : never;

/** Files must be given, and what has a default is filled in. */
export type Sure<All extends Fields> = {
  [Name in keyof All]: All[Name] extends { readonly type: "file" } | { readonly default: unknown }
    ? Name
    : never;
}[keyof All];

/** The values that fields describe. */
export type SettingsOf<All extends Fields> = {
  readonly [Name in Sure<All>]: ValueOf<All[Name]>;
} & { readonly [Name in Exclude<keyof All, Sure<All>>]?: ValueOf<All[Name]> };

/** What a run requires of its data. */
export interface DataRequest {
  /** Seed of the run. */
  readonly seed: number;
  /** Chooses which examples go to which part. */
  readonly splitSeed: number;
  /** Whether examples have one axis; images [channels, height, width] otherwise, if the source has such. */
  readonly flat: boolean;
  /** Training examples, for a source that draws as many as are wanted. */
  readonly train?: number;
  /** Examples for validation, for such a source: a count, a share of the training examples, or as many as those. */
  readonly validation?: number | "train";
}

/** Parts that a source separates itself; missing ones are split off from `train`. */
export interface LoadedData {
  readonly train: Dataset;
  readonly validation?: Dataset;
  readonly test?: Dataset;
}

/** Where examples come from. */
export interface DataSourceKind<Own extends Fields = Fields, Reading extends Fields = Fields> {
  /** Given as NAME:FILE,FILE,number=value: files in this order, then numbers. */
  readonly fields: Own;
  /** How its files are read: `train` has separate options for these. */
  readonly reading: Reading;
  /** Whether a seed chooses what is loaded, so that each run has its own data. */
  readonly drawn: boolean;
  /** The fraction held out for testing unless the caller says otherwise; default 0.2. */
  readonly testShare?: number;
  /** Throws what reading throws. */
  load(
    settings: SettingsOf<Own> & SettingsOf<Reading>,
    request: DataRequest,
  ): LoadedData | Promise<LoadedData>;
}

/** A source with its fields' types kept. */
export function dataSource<const Own extends Fields, const Reading extends Fields = Record<never, never>>(
  source: Omit<DataSourceKind<Own, Reading>, "reading"> & { readonly reading?: Reading },
): DataSourceKind<Own, Reading> {
  return { ...source, reading: source.reading ?? ({} as Reading) };
}
