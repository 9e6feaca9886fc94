import { strategies, strategyOf } from "../../growth/strategies/index.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { unknownName } from "../../tensor/unknown-name.ts";

/** An error about the value of an option. */
export function badOption(
  option: string,
  rule: string,
  received: unknown,
  remedy = "Run the command with --help to see every option.",
): EspalierError {
  return new EspalierError("USAGE", { thing: option, rule, received, remedy });
}

/** A whole number of at least `least`. Throws `USAGE`. */
export function wholeNumber(option: string, text: string, least = 1): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw badOption(option, `must be a whole number of at least ${least}`, text);
}

export interface Range {
  readonly least?: number;
  /** Exclusive bound. */
  readonly below?: number;
  /** Exclusive bound. */
  readonly above?: number;
}

/** A decimal number in a range. Throws `USAGE`. */
export function decimal(option: string, text: string, range: Range): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  const { least, below, above } = range;
  const fits =
    Number.isFinite(value) &&
    (least === undefined || value >= least) &&
    (below === undefined || value < below) &&
    (above === undefined || value > above);
  if (fits) return value;
  const bounds = [
    least === undefined ? "" : `at least ${least}`,
    above === undefined ? "" : `above ${above}`,
    below === undefined ? "" : `below ${below}`,
  ].filter((bound) => bound !== "");
  throw badOption(option, `must be a number ${bounds.join(" and ")}`, text);
}

/** "16,16" as positive whole numbers. Throws `USAGE`. */
export function sizes(option: string, text: string): readonly number[] {
  return text.split(",").map((part) => {
    if (/^\s*[1-9]\d*\s*$/.test(part) && Number.isSafeInteger(Number(part))) return Number(part);
    throw badOption(option, "must be positive whole numbers with commas between them, such as 16,16", text);
  });
}

/** One of `names`, regardless of case and hyphens ("cross-entropy" is "crossEntropy"). Throws `USAGE`. */
export function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[-_]/g, "");
  const found = names.find((name) => plain(name) === plain(text));
  if (found !== undefined) return found;
  throw unknownName("USAGE", option, text, names);
}

/** A growth strategy, possibly with a value as in "candidates:512". Throws `USAGE`. */
export function strategyName(text: string): string {
  try {
    return strategyOf(text).name;
  } catch {
    return oneOf("--strategy", text, [...Object.keys(strategies), "candidates:COUNT"]);
  }
}
