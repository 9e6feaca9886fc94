import { brokenRule, type OptionRules, type PlainOptions } from "../training/options/option-rules.ts";
import type { JsonReader } from "./json-reader.ts";

/** An entry of a table, and the options given for it; the rest keep their defaults. */
export interface Named<Name extends string> {
  readonly name: Name;
  readonly options: PlainOptions;
}

/**
 * An entry of a table, as "adam" or as an object such as { name: "adam", beta2: 0.98 }, in which the field `key` names it.
 * `more` are fields that are not options of the entry. Throws `CONFIG`.
 */
export function readNamed<Table extends Readonly<Record<string, { readonly options: OptionRules }>>>(
  reader: JsonReader,
  table: Table,
  { key = "name", more = [] }: { readonly key?: string; readonly more?: readonly string[] } = {},
): Named<keyof Table & string> {
  const names = Object.keys(table) as (keyof Table & string)[];
  const short = typeof reader.value === "string";
  const fields = short ? {} : reader.anyObject();
  const name = (short ? reader : reader.field(key)).oneOf(names);
  const rules = (table[name] as { readonly options: OptionRules }).options;
  if (!short) reader.object([key, ...Object.keys(rules), ...more]);
  const options = Object.entries(rules).flatMap(([option, rule]) => {
    const given = fields[option];
    const broken = brokenRule(rule, given ?? rule.default);
    if (broken === undefined)
      return given === undefined ? [] : [[option, given as number | boolean] as const];
    if (short)
      throw reader.wrong(`needs ${option}, ${rule.says}`, `Write { "${key}": "${name}", "${option}": … }.`);
    throw reader.field(option).wrong(given === undefined ? `is missing: ${rule.says}` : broken);
  });
  return { name, options: Object.fromEntries(options) };
}
