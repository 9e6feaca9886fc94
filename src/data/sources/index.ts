import { characters } from "./characters.ts";
import { csv } from "./csv.ts";
import type { DataRequest, DataSourceKind, Fields, LoadedData, SettingsOf } from "./data-source.ts";
import { digits } from "./digits.ts";
import { idx } from "./idx.ts";
import { mnist } from "./mnist.ts";
import { moons } from "./moons.ts";
import { spirals } from "./spirals.ts";
import { studentTeacher } from "./student-teacher.ts";
import { xor } from "./xor.ts";

/** The one table of data sources, in the order of help texts. */
const sources = {
  digits,
  xor,
  moons,
  spirals,
  "student-teacher": studentTeacher,
  mnist,
  characters,
  idx,
  csv,
} as const;

export type SourceName = keyof typeof sources;

export type ChoiceOf<Name extends SourceName> =
  (typeof sources)[Name] extends DataSourceKind<infer Own, infer Reading>
    ? { readonly kind: Name } & SettingsOf<Own> & SettingsOf<Reading>
    : never;

/** A source and its settings. */
export type DataSource = { [Name in SourceName]: ChoiceOf<Name> }[SourceName];

export const sourceNames = Object.keys(sources) as readonly SourceName[];

export function sourceKind(name: SourceName): DataSourceKind {
  return sources[name] as unknown as DataSourceKind;
}

/** All settings of a source. */
export function fieldsOf(name: SourceName): Fields {
  const { fields, reading } = sourceKind(name);
  return { ...fields, ...reading };
}

/** The parts that a source provides. Throws what reading throws. */
export async function loadSource(
  { kind, ...settings }: DataSource,
  request: DataRequest,
): Promise<LoadedData> {
  return sourceKind(kind).load(settings, request);
}

/** The same source with each of its files named as `rename` says. */
export function withFiles(source: DataSource, rename: (file: string) => string): DataSource {
  const fields = fieldsOf(source.kind);
  const renamed = Object.entries(source).map(([name, value]) => [
    name,
    fields[name]?.type === "file" ? rename(value as string) : value,
  ]);
  return Object.fromEntries(renamed) as DataSource;
}
