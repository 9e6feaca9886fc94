// espalier/data: data sets, readers of files, generated sets, and the record of how features were prepared.

// Data sets

export type { Column, ColumnData, ColumnParts } from "./columns.ts";
export {
  type Dataset,
  type DatasetParts,
  dataset,
  reshapeFeatures,
  subset,
  withTarget,
} from "./dataset.ts";
export { type Split, splitDataset } from "./split.ts";
export { applyStandardizer, type Standardizer, standardizer } from "./standardize.ts";
export type { TargetData, TargetParts } from "./targets.ts";

// Readers

export { type CharacterSplit, type CharactersOptions, characters, charactersOf } from "./characters.ts";
export { type CsvFileOptions, type CsvOptions, loadCsv, parseCsv } from "./csv.ts";
export { type IdxOptions, type IdxType, type ImageAxes, loadIdx, parseIdx } from "./idx.ts";

// Data sets that ship here or are generated

export { type DigitsOptions, digits } from "./digits.ts";
export { type SpiralsOptions, spirals } from "./generated/spirals.ts";
export { type StudentTeacherOptions, studentTeacher } from "./generated/student-teacher.ts";
export { twoMoons } from "./generated/two-moons.ts";
export { xor } from "./generated/xor.ts";
export { mnist } from "./mnist.ts";

// Preprocessing, as a record that travels in the model

export type { PlanarOptions } from "./generated/planar.ts";
export {
  type CategoryColumn,
  type ClassTarget,
  type FeatureColumn,
  type ImageFeatures,
  type NumberColumn,
  type NumberTarget,
  type Preprocessing,
  preprocessingJson,
  readPreprocessing,
  type Scale,
  type TableFeatures,
  type Target,
} from "./preprocessing/index.ts";
export type { Source } from "./source.ts";
export type {
  DataRequest,
  DataSourceKind,
  Field,
  Fields,
  LoadedData,
  SettingsOf,
  Sure,
  ValueOf,
  Values,
} from "./sources/data-source.ts";
export type { ChoiceOf, DataSource, SourceName } from "./sources/index.ts";
export type {
  ColumnChoice,
  ColumnOptions,
  Encoding,
  MissingRule,
  TableOptions,
  TextOptions,
} from "./table/options.ts";
export type { TableFileOptions } from "./table/read.ts";
