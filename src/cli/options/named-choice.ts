import {
  brokenRule,
  type OptionRule,
  type OptionRules,
  type PlainOptions,
  rulesText,
} from "../../training/options/option-rules.ts";
import { badOption, oneOf } from "./option-values.ts";

/** A table from which an option's value is chosen by name, with the options of each name. */
export type Choices = Readonly<Record<string, { readonly options: OptionRules }>>;

/** A name from a table, with options. */
export interface NamedChoice<Name extends string> {
  readonly name: Name;
  readonly options: PlainOptions;
}

/** "lion:beta2=0.98,weightDecay=0.1" or "lion". Throws `USAGE`. */
export function namedChoice<Table extends Choices>(
  option: string,
  text: string,
  table: Table,
): NamedChoice<keyof Table & string> {
  const [typed = "", ...rest] = text.split(":");
  const name = oneOf(option, typed, Object.keys(table) as (keyof Table & string)[]);
  const rules = table[name]?.options ?? {};
  if (rest.length === 0) return { name, options: {} };
  const assignments = rest.join(":").split(",");
  return {
    name,
    options: Object.fromEntries(assignments.map((part) => assignment(`${option} ${name}`, part, rules))),
  };
}

function assignment(option: string, part: string, rules: OptionRules): readonly [string, number | boolean] {
  const [key = "", value, ...more] = part.split("=");
  if (Object.keys(rules).length === 0) throw badOption(option, "has no options", part, "Leave them out.");
  const name = oneOf(option, key.trim(), Object.keys(rules));
  if (value === undefined || more.length > 0)
    throw badOption(option, `accepts options as NAME=VALUE, such as ${rulesText(rules)}`, part);
  return [name, optionValue(`${option}:${name}`, value, rules[name] as OptionRule)];
}

/** The value of one option. Throws `USAGE`. */
export function optionValue(option: string, text: string, rule: OptionRule): number | boolean {
  const words: Readonly<Record<string, boolean>> = { true: true, yes: true, false: false, no: false };
  const value =
    typeof rule.default === "boolean" ? words[text.trim()] : text.trim() === "" ? Number.NaN : Number(text);
  const broken = brokenRule(rule, value);
  if (broken !== undefined) throw badOption(option, broken, text, `It is ${rule.says}.`);
  return value as number | boolean;
}

/** A table as a line of help: `sgd (momentum=0, nesterov=false), adam (...)`. */
export function choicesHelp(table: Choices): string {
  return Object.entries(table)
    .map(([name, { options }]) => {
      const text = rulesText(options);
      return text === "" ? name : `${name} (${text})`;
    })
    .join(", ");
}

/** Names in a table whose entries have an option: those that a flag of that name applies to. */
export function ownersOf(table: Choices, option: string): readonly string[] {
  return Object.keys(table).filter((name) => Object.hasOwn(table[name]?.options ?? {}, option));
}
