import type { Widening } from "../growth/grow-model.ts";
import { badOption, wholeNumber } from "./option-values.ts";

const form =
  "must be WIDTH=+UNITS or WIDTH=xFACTOR, such as fc1=+16 or all=x2, with commas between several of them";

/** What `espalier grow --widen` asks for, in order. Throws `USAGE`. */
export function readWidenings(texts: readonly string[]): readonly Widening[] {
  return texts.flatMap((text) => {
    // Names of parameters, and so ids, may hold any character, a comma or an equals sign too.
    const one = /(?<width>.+?)=(?:\+(?<by>\d+)|x(?<times>\d+(?:\.\d+)?))(?:,|$)/gsy;
    const widenings: Widening[] = [];
    while (one.lastIndex < text.length) {
      const { width = "", by, times = "" } = one.exec(text)?.groups ?? {};
      if (width === "") throw badOption("--widen", form, text, "espalier inspect MODEL lists the widths.");
      if (by !== undefined) widenings.push({ width, by: wholeNumber(`units of --widen ${text}`, by) });
      else widenings.push({ width, times: Number(times) });
    }
    if (widenings.length === 0 || text.endsWith(",")) throw badOption("--widen", form, text);
    return widenings;
  });
}
