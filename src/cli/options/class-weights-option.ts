import type { Dataset } from "../../data/dataset.ts";
import { didYouMean } from "../../tensor/unknown-name.ts";
import { badOption, decimal } from "./option-values.ts";

const option = "--class-weights";

export const classWeightsHelp =
  "weight of each class in a classification loss: 1,2,0.5 in the order of the classes, or spam=3,... by name, the others 1";

/** "1,2,0.5" or "spam=3,ham=1" as weights of the data's classes, by number. Throws `USAGE`. */
export function parseClassWeights(text: string): (data: Dataset) => readonly number[] {
  const parts = text.split(",").map((part) => part.trim());
  const weight = (part: string) => decimal(option, part, { least: 0 });
  const named = parts.filter((part) => part.includes("=")).length;
  if (named === 0) {
    const weights = parts.map(weight);
    return () => weights;
  }
  if (named < parts.length) throw badOption(option, "must name every class that it lists, or none", text);
  const pairs = parts.map((part): readonly [string, number] => {
    const at = part.lastIndexOf("=");
    return [part.slice(0, at).trim(), weight(part.slice(at + 1).trim())];
  });
  return (data) => weightsByName(pairs, data);
}

function weightsByName(pairs: readonly (readonly [string, number])[], data: Dataset): readonly number[] {
  const { name: set, classes = 0, classNames } = data;
  if (data.labels === undefined)
    throw badOption(option, `needs classes, but "${set}" has numbers to predict`, pairs[0]?.[0]);
  const names = classNames ?? Array.from({ length: classes }, (_, number) => String(number));
  const unknown = pairs.find(([name]) => !names.includes(name));
  if (unknown !== undefined) {
    const remedy = [didYouMean(unknown[0], names), `They are ${names.join(", ")}.`];
    throw badOption(option, `must name classes of "${set}"`, unknown[0], remedy.filter(Boolean).join(" "));
  }
  const twice = pairs.find(([name], at) => pairs.findIndex(([other]) => other === name) < at);
  if (twice !== undefined) throw badOption(option, "must name a class once", twice[0]);
  const weights = new Map(pairs);
  return names.map((name) => weights.get(name) ?? 1);
}
