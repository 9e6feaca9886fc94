import { EspalierError } from "../../tensor/errors.ts";
import { unknownName } from "../../tensor/unknown-name.ts";

/** What an option of an optimizer, a loss, a metric or a schedule may be. Types, checks and help texts follow from it. */
export type OptionRule = NumberRule | FlagRule;

/** A finite number. */
export interface NumberRule {
  readonly default: number;
  /** What it is, in a few words: documentation and help. */
  readonly says: string;
  readonly whole?: boolean;
  readonly least?: number;
  readonly above?: number;
  readonly below?: number;
  readonly most?: number;
}

/** Yes or no. */
export interface FlagRule {
  readonly default: boolean;
  readonly says: string;
}

export type OptionRules = Readonly<Record<string, OptionRule>>;

/** The options that rules describe, each with a value. */
export type OptionsOf<Rules extends OptionRules> = {
  readonly [Name in keyof Rules]: Rules[Name]["default"] extends number
    ? number
    : Rules[Name]["default"] extends boolean
      ? boolean
      : number | boolean;
};

/** Options as a checkpoint or a command line has them. */
export type PlainOptions = Readonly<Record<string, number | boolean>>;

/** Options with their defaults filled in. Throws `ARGUMENT` for unknown names and for values that a rule does not allow. */
export function withDefaults<Rules extends OptionRules>(
  thing: string,
  rules: Rules,
  given: Readonly<Record<string, unknown>>,
): OptionsOf<Rules> {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(rules, name));
  if (unknown !== undefined) throw unknownName("ARGUMENT", `option of ${thing}`, unknown, Object.keys(rules));
  const filled = Object.entries(rules).map(([name, rule]) => {
    const value = given[name] ?? rule.default;
    const broken = brokenRule(rule, value);
    if (broken === undefined) return [name, value] as const;
    throw new EspalierError("ARGUMENT", {
      thing: `${thing}.${name}`,
      rule: broken,
      received: value,
      remedy: `It is ${rule.says}; the default is ${rule.default}.`,
    });
  });
  return Object.fromEntries(filled) as OptionsOf<Rules>;
}

/** The rule that a value breaks; undefined if it is allowed. */
export function brokenRule(rule: OptionRule, value: unknown): string | undefined {
  if (typeof rule.default === "boolean")
    return typeof value === "boolean" ? undefined : "must be true or false";
  const { whole, least, above, below, most } = rule as NumberRule;
  const bounds = [
    [least, "at least", (number: number, bound: number) => number >= bound],
    [above, "above", (number: number, bound: number) => number > bound],
    [below, "below", (number: number, bound: number) => number < bound],
    [most, "at most", (number: number, bound: number) => number <= bound],
  ] as const;
  const isNumber = whole ? Number.isSafeInteger(value) : Number.isFinite(value);
  const fits = bounds.every(([bound, , holds]) => bound === undefined || holds(value as number, bound));
  if (isNumber && fits) return undefined;
  const words = bounds.flatMap(([bound, word]) => (bound === undefined ? [] : [`${word} ${bound}`]));
  return `must be a ${whole ? "whole" : "finite"} number${words.length === 0 ? "" : ` ${words.join(" and ")}`}`;
}

/** Rules in a line: `momentum=0, nesterov=false`. */
export function rulesText(rules: OptionRules): string {
  return Object.entries(rules)
    .map(([name, rule]) => `${name}=${rule.default}`)
    .join(", ");
}
