import type { Growth, Widening } from "../../growth/grow/grow-model.ts";
import { badOption, wholeNumber } from "./option-values.ts";

const widenForm =
  "must be WIDTH=+UNITS or WIDTH=xFACTOR, such as fc1=+16 or all=x2, with commas between several of them";

/** The options of `espalier grow` that say what to grow, as typed. */
export interface GrowthOptions {
  readonly widen: readonly string[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly deepen: readonly string[];
  readonly vocab?: string;
}

/** The growths that they request, in the order in which they are done. Throws `USAGE`. */
export function readGrowths({ widen, inputs, outputs, deepen, vocab }: GrowthOptions): readonly Growth[] {
  const border = (option: "--inputs" | "--outputs", texts: readonly string[]) =>
    texts.map((text): Growth => {
      const { name, by = "" } = matched(option, text, /^(?:(?<name>.+)=)?\+(?<by>\d+)$/s, "+2 or NAME=+2");
      return {
        border: option === "--inputs" ? "input" : "output",
        by: wholeNumber(`size of ${option} ${text}`, by),
        ...(name === undefined ? {} : { name }),
      };
    });
  return [
    ...border("--inputs", inputs),
    ...border("--outputs", outputs),
    ...(vocab === undefined ? [] : [readVocabulary(vocab)]),
    ...readWidenings(widen),
    ...deepen.map((text): Growth => {
      const { name = "", by = "" } = matched("--deepen", text, /^(?<name>.+)=\+(?<by>\d+)$/s, "fc1=+1");
      return { deepen: name, by: wholeNumber(`blocks of --deepen ${text}`, by) };
    }),
  ];
}

function readVocabulary(text: string): Growth {
  const form = /^(?:(?<name>.+)=)?(?<sign>[+x]?)(?<amount>\d+(?:\.\d+)?)$/s;
  const { name, sign, amount = "" } = form.exec(text)?.groups ?? {};
  if (amount === "") throw badOption("--vocab", "must be +256, x2, 50432 or INPUT=+256", text);
  if (sign === "x") return { vocabulary: name, times: Number(amount) };
  const ids = wholeNumber(`ids of --vocab ${text}`, amount);
  return sign === "+" ? { vocabulary: name, by: ids } : { vocabulary: name, to: ids };
}

function matched(option: string, text: string, form: RegExp, example: string) {
  const groups = form.exec(text)?.groups;
  if (groups === undefined) throw badOption(option, `must be of the form ${example}`, text);
  return groups as Readonly<Record<"name" | "by", string | undefined>>;
}

function readWidenings(texts: readonly string[]): readonly Widening[] {
  return texts.flatMap((text) => {
    // Names of parameters, and so ids, may contain any character, even a comma or an equals sign.
    const one = /(?<width>.+?)=(?:\+(?<by>\d+)|x(?<times>\d+(?:\.\d+)?))(?:,|$)/gsy;
    const widenings: Widening[] = [];
    while (one.lastIndex < text.length) {
      const { width = "", by, times = "" } = one.exec(text)?.groups ?? {};
      if (width === "")
        throw badOption("--widen", widenForm, text, "espalier inspect MODEL lists the widths.");
      if (by !== undefined) widenings.push({ width, by: wholeNumber(`units of --widen ${text}`, by) });
      else widenings.push({ width, times: Number(times) });
    }
    if (widenings.length === 0 || text.endsWith(",")) throw badOption("--widen", widenForm, text);
    return widenings;
  });
}
