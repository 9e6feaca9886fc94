import type { Dim, Shape } from "../../graph/dim.ts";
import { grouped, short } from "../../tensor/number-text.ts";

/** Seconds as "0:07" or "1:02:03". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const two = (part: number) => String(part).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** A score, formatted by its name: a fraction as a percentage, anything else with four digits. */
export function score(name: string, value: number): string {
  return name === "accuracy" ? `${(100 * value).toFixed(1)} %` : value.toPrecision(4);
}

/** "hidden1 16, hidden2 24" */
export function widthsText(widths: Readonly<Record<string, number>>): string {
  return Object.entries(widths)
    .map(([width, size]) => `${width} ${size}`)
    .join(", ");
}

/** A count, or a polynomial in unbound sizes. */
export function dimText(dim: Dim): string {
  return typeof dim === "number" ? (dim < 10_000 ? grouped(dim) : short(dim)) : dim;
}

/** Text from a file, without anything that a terminal would obey or hide. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) as number;
    return `\\u{${code.toString(16)}}`;
  });
}

/** "float32 [batch, 3, 16, 16]" */
export function typeText({ dtype, shape }: { readonly dtype: string; readonly shape: Shape }): string {
  return `${dtype} [${shape.join(", ")}]`;
}
