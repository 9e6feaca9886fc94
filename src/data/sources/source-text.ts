import type { Field } from "./data-source.ts";
import { type DataSource, type SourceName, sourceKind, sourceNames } from "./index.ts";

/** "mnist:FOLDER": how a source is named in one text. */
export function sourceForm(name: SourceName): string {
  const words = filesOf(name).map(([, { word }]) => word);
  return words.length === 0 ? name : `${name}:${words.join(",")}`;
}

/** {@link sourceForm} with its number settings: "student-teacher[:inputs=10,...]". */
export function sourceHelp(name: SourceName): string {
  const numbers = numbersOf(name).map(([key, field]) => `${key}=${field.default ?? "N"}`);
  const form = sourceForm(name);
  return numbers.length === 0 ? form : `${form}[${form === name ? ":" : ","}${numbers.join(",")}]`;
}

/**
 * "idx:images.gz,labels.gz" or "characters:text.txt,context=16" as a source; undefined if it does not have
 * the form of one. A comma in the name of a source's only file is part of that name.
 */
export function parseSource(text: string): DataSource | undefined {
  const [, typed = "", rest] = /^([a-z-]+)(?::(.*))?$/s.exec(text) ?? [];
  const name = sourceNames.find((name) => name === typed);
  if (name === undefined || rest === "") return undefined;
  const [files, numbers] = [filesOf(name), new Map(numbersOf(name))];
  const parts = rest?.split(",") ?? [];
  const settings: Record<string, string | number> = {};
  for (const [key, field] of numbers) if (field.default !== undefined) settings[key] = field.default;
  while (parts.length > 0) {
    const [, key = "", value = ""] = /^([a-zA-Z]+)=(\d+)$/.exec(parts.at(-1) ?? "") ?? [];
    const field = numbers.get(key);
    if (field === undefined) break;
    if (Number(value) < (field.least ?? 1) || !Number.isSafeInteger(Number(value))) return undefined;
    settings[key] = Number(value);
    parts.pop();
  }
  const given = files.length === 1 && parts.length > 0 ? [parts.join(",")] : parts;
  if (given.length !== files.length || given.includes("")) return undefined;
  files.forEach(([key], at) => {
    settings[key] = given[at] as string;
  });
  return { kind: name, ...settings } as DataSource;
}

/** The text that {@link parseSource} reads as `source`; how files are read is not included. */
export function sourceText(source: DataSource): string {
  const { kind, ...settings } = source as DataSource & Readonly<Record<string, unknown>>;
  const parts = [
    ...filesOf(kind).map(([key]) => settings[key]),
    ...numbersOf(kind)
      .filter(([key, field]) => settings[key] !== undefined && settings[key] !== field.default)
      .map(([key]) => `${key}=${settings[key]}`),
  ];
  return parts.length === 0 ? kind : `${kind}:${parts.join(",")}`;
}

function ofType<Type extends Field["type"]>(name: SourceName, type: Type) {
  return Object.entries(sourceKind(name).fields).filter(
    (entry): entry is [string, Extract<Field, { readonly type: Type }>] => entry[1].type === type,
  );
}

const filesOf = (name: SourceName) => ofType(name, "file");
const numbersOf = (name: SourceName) => ofType(name, "whole");
