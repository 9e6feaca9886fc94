import { grouped, scaleOf } from "../../tensor/number-text.ts";

/** U+00A0, so that a number and its unit stay on one line. */
const space = "\u00a0";

/** Shown for a value that was not measured. */
export const absent = "–";

/** A value that is not a finite number, in words; undefined for finite numbers. */
function odd(value: number | undefined): string | undefined {
  if (value === undefined) return absent;
  if (Number.isNaN(value)) return "not a number";
  if (value === Number.POSITIVE_INFINITY) return "∞";
  if (value === Number.NEGATIVE_INFINITY) return "−∞";
  return undefined;
}

/** `digits` significant digits: 0.4127, 12.30, 1.2 × 10⁻⁷. */
export function significant(value: number | undefined, digits = 4): string {
  const word = odd(value);
  if (word !== undefined) return word;
  const number = value as number;
  const size = Math.abs(number);
  if (number === 0) return "0";
  if (size >= 1e-3 && size < 1e6) return minus(number.toPrecision(digits + spare(size, digits)));
  const [mantissa = "", exponent = ""] = number.toExponential(Math.min(digits, 3) - 1).split("e");
  return `${minus(mantissa)}${space}×${space}10${superscript(Number(exponent))}`;
}

/** `toPrecision` switches to exponents if the integer part has more digits than requested. */
function spare(size: number, digits: number): number {
  return Math.max(0, Math.floor(Math.log10(size)) + 1 - digits);
}

const minus = (text: string) => text.replace(/^-/, "−");

function superscript(exponent: number): string {
  const glyphs = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  return [...String(exponent)].map((digit) => (digit === "-" ? "⁻" : glyphs[Number(digit)])).join("");
}

/** A short plain number without trailing zeros, for ticks: 0.05, 1,500. */
export function plain(value: number): string {
  const rounded = Number(value.toPrecision(6));
  const size = Math.abs(rounded);
  if (rounded !== 0 && (size < 1e-4 || size >= 1e7)) {
    const [mantissa = "", exponent = ""] = rounded.toExponential().split("e");
    const power = `10${superscript(Number(exponent))}`;
    return mantissa === "1" ? power : `${minus(mantissa)}${space}×${space}${power}`;
  }
  return minus(rounded.toLocaleString("en", { maximumFractionDigits: 6 }));
}

/** A whole number in full: 12,345. */
export function whole(value: number | undefined): string {
  return odd(value) ?? minus(grouped(value as number));
}

/** A count, in full up to 9,999 and then shortened: 2,410, 12.3 k, 1.2 M. */
export function count(value: number | undefined): string {
  const word = odd(value);
  if (word !== undefined) return word;
  const number = value as number;
  if (Math.abs(number) < 9999.5) return whole(number);
  const { factor, prefix } = scaleOf(number);
  return `${short(number / factor)}${space}${prefix}`;
}

/** 3.4 GFLOP. */
export function flops(value: number | undefined): string {
  const word = odd(value);
  if (word !== undefined) return word;
  const { factor, prefix } = scaleOf(value as number);
  return `${short((value as number) / factor)}${space}${prefix}FLOP`;
}

/** 34 ms, 1.24 s, 3 min 20 s, 2 h 5 min. */
export function duration(seconds: number | undefined): string {
  const word = odd(seconds);
  if (word !== undefined) return word;
  const value = seconds as number;
  if (value === 0) return `0${space}s`;
  if (value < 0.9995) return `${short(value * 1000)}${space}ms`;
  if (value < 119.5) return `${short(value)}${space}s`;
  const whole = Math.round(value);
  if (value < 7200) return `${Math.floor(whole / 60)}${space}min${space}${whole % 60}${space}s`;
  const minutes = Math.round(value / 60);
  return `${Math.floor(minutes / 60)}${space}h${space}${minutes % 60}${space}min`;
}

/** A fraction of one as 97.2 %. */
export function percent(fraction: number | undefined): string {
  return odd(fraction) ?? `${minus(((fraction as number) * 100).toFixed(1))}${space}%`;
}

/** Three significant digits without trailing zeros. */
function short(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 3 });
}

/** A metric's value: as a percentage if its name says that it is a fraction of one. */
export function metricValue(name: string, value: number | undefined): string {
  return isFraction(name) ? percent(value) : significant(value);
}

/** Whether a metric is a fraction of one, by its name. */
export function isFraction(name: string): boolean {
  return /accuracy|precision|recall|(^|[^a-z])(auc|f1)([^a-z]|$)|rate$/i.test(name);
}

/** "1 growth", "2 growths". */
export function plural(amount: number, word: string): string {
  return `${whole(amount)}${space}${word}${amount === 1 ? "" : "s"}`;
}
