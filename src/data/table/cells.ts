import type { TextOptions } from "./options.ts";

export type NumberFormat = Pick<TextOptions, "decimal" | "thousands">;

const plain = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Reads trimmed cells as numbers in one notation: NaN for what is not a number. */
export function numberReader({ decimal = ".", thousands }: NumberFormat): (text: string) => number {
  // A number too large even for a double is kept as text, for errors to show.
  const read = (text: string) => {
    const value = plain.test(text) ? Number(text) : Number.NaN;
    return Number.isFinite(value) ? value : Number.NaN;
  };
  if (decimal === "." && thousands === undefined) return read;
  const grouped =
    thousands === undefined
      ? undefined
      : new RegExp(`^[+-]?\\d{1,3}(?:${escaped(thousands)}\\d{3})+(?=$|${escaped(decimal)}|[eE])`);
  return (text) => {
    if (decimal === "," && text.includes(".") && thousands !== ".") return Number.NaN;
    const whole = grouped?.exec(text)?.[0] ?? "";
    const joined = whole.replaceAll(thousands ?? "", "") + text.slice(whole.length);
    return read(decimal === "," ? joined.replace(",", ".") : joined);
  };
}

function escaped(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, "\\$&");
}

/**
 * Whether a number's text says more than its value: "01234" is not "1234", and a whole number past 2^53 is not its
 * neighbor, although both become the same double.
 */
export function isCode(text: string, value: number): boolean {
  return /^[+-]?0\d/.test(text) || (Math.abs(value) > Number.MAX_SAFE_INTEGER && /^[+-]?\d+$/.test(text));
}

const markers = new Set(["", "na", "n/a", "nan", "-nan", "null", "?", "#n/a", "<na>"]);
const numericMarkers = new Set([...markers, "none", "nil", "-", "--", ".", "n.a.", "missing", "#na"]);

/** Whether text means a missing value: "", "NA", "null", "?"; among numbers also "-", ".", "none". */
export function isMissing(text: string, amongNumbers: boolean): boolean {
  return (amongNumbers ? numericMarkers : markers).has(text.toLowerCase());
}

/** Whether text is a number in another notation: "1,5", "1 234", "$12", "5%". */
export function isForeignNumber(text: string): boolean {
  return /^[$€£¥]? ?[+-]?\d[\d.,' \u00a0\u202f]*[$€£¥%]?$/.test(text.replace(/ (?=[$€£¥%]$)/, ""));
}

/** Remedies for a column that should be numeric. */
export function columnRemedy(column: string): string {
  return `leave the column out (--drop ${quoted(column)}), or treat it as categories (--categories ${quoted(column)}). If this line is not data: --comment with how it starts, --header or --skip-rows. If this column is the label: --label.`;
}

/** Remedies for a cell that should be a number, by what it looks like; `otherwise` is the one for anything else. */
export function numberRemedy(text: string, otherwise: string): string {
  if (/^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(text) && !/^[+-]?\d{1,3},\d{3}$/.test(text))
    return "If commas group its digits: thousands (command line: --thousands ,).";
  if (/^[+-]?\d{1,3}(\.\d{3})+,\d+$/.test(text))
    return "If points group its digits: decimal and thousands (command line: --decimal , --thousands .).";
  if (/^[+-]?\d{1,3},\d{3}$/.test(text))
    return "If the comma groups its digits: thousands (command line: --thousands ,). If it is the decimal separator: decimal (--decimal ,).";
  if (/^[+-]?\d*,\d+(e[+-]?\d+)?$/i.test(text))
    return "If the comma is the decimal separator: decimal (command line: --decimal ,).";
  if (/^[+-]?\d{1,3}([ '_\u00a0\u202f]\d{3})+/.test(text))
    return `If this groups its digits: thousands (command line: --thousands "${/[^\d+-]/.exec(text)?.[0]}").`;
  if (/\d/.test(text) && /[$€£¥%]/.test(text)) return `Remove the sign from the column's cells, ${otherwise}`;
  return `Fix the cell, ${otherwise}`;
}

/** A name as it is typed on a command line. */
export function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : JSON.stringify(name);
}
