// Numbers in sentences and tables, as messages, decisions and the command line write them. Reports have signs and spaces
// of their own: see report/drawing/figures.ts.

const inGroups = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 1234567 as "1,234,567". */
export function grouped(count: number): string {
  return inGroups.format(count);
}

/** The power of 1000, and its prefix, that three digits of `value` are written with. */
export function scaleOf(value: number): { readonly factor: number; readonly prefix: string } {
  const prefixes = ["", "k", "M", "G", "T", "P", "E"];
  // 999,950 and more would print as 1,000 k.
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Number(Math.abs(value).toPrecision(3))) / 3);
  const index = Math.min(Math.max(exponent, 0), prefixes.length - 1);
  return { factor: 1000 ** index, prefix: prefixes[index] as string };
}

/** 52340 as "52.3k". */
export function short(value: number): string {
  const { factor, prefix } = scaleOf(value);
  return `${(value / factor).toPrecision(3)}${prefix}`;
}

/** 0.0123 as "1.23 %"; a decrease that is a rise as "-3 %". */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** A number with a few significant digits, three unless told otherwise: "0.0123", "1.23e-7", "12345". */
export function figure(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return String(value);
  const small = value !== 0 && Math.abs(value) < 1e-3;
  return small ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
}

/** 1234567 as "1,234,567", and anything of seven digits and more as "1.23e+9". */
export function amount(count: number): string {
  return count < 1e7 ? grouped(Math.round(count)) : count.toExponential(2);
}

/** "1 unit", "3 units". */
export function plural(count: number, noun: string): string {
  return `${amount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** "a", "a and b", "a, b and c". */
export function listed(names: readonly string[]): string {
  const [last = "", ...others] = [...names].reverse();
  return others.length === 0 ? last : `${others.reverse().join(", ")} and ${last}`;
}
