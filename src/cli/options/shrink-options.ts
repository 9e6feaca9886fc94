import { type ImportanceName, importances } from "../../growth/importance/index.ts";
import type { ShrinkChoice } from "../../growth/shrink/shrink-choice.ts";
import type { Shrinking } from "../../growth/shrink/shrink-model.ts";
import { badOption, oneOf, wholeNumber } from "./option-values.ts";

/** The options of `espalier shrink` that say what to remove, as typed. */
export interface ShrinkChoiceOptions {
  readonly removeDead?: boolean;
  readonly mergeIdentical?: boolean;
  readonly mergeCollapsing?: boolean;
  readonly least?: string;
  readonly by?: string;
  readonly width: readonly string[];
}

const needsData = "needs --data";

/** The request that they make. Throws `USAGE`. */
export function readShrinkings(options: ShrinkChoiceOptions, hasData: boolean): readonly Shrinking[] {
  const { removeDead, mergeIdentical, mergeCollapsing, least, by, width } = options;
  const chosen = [
    [removeDead === true || mergeIdentical === true, "--remove-dead and --merge-identical"],
    [mergeCollapsing === true, "--merge-collapsing"],
    [least !== undefined, "--least"],
  ] as const;
  const [first, ...more] = chosen.filter(([given]) => given);
  if (first === undefined) {
    throw badOption(
      "--merge-identical",
      "or --remove-dead, --merge-collapsing or --least must say what to remove",
      "none of them",
    );
  }
  if (more.length > 0) throw badOption(first[1], `cannot go with ${more[0]?.[1]}`, "both", "Shrink twice.");
  if (by !== undefined && least === undefined) throw badOption("--by", "goes with --least", by);
  const choice = choiceOf(options);
  if (least !== undefined && width.length === 0) {
    throw badOption(
      "--least",
      "needs --width, the width to shrink",
      least,
      "espalier inspect MODEL lists the widths.",
    );
  }
  const weightsAlone =
    least === undefined ? mergeIdentical === true && removeDead !== true : by === "weightNorm";
  if (!hasData && !weightsAlone) {
    throw badOption(first[1], needsData, "no --data", "For example --data digits.");
  }
  return (width.length === 0 ? ["all"] : width).map((id) => ({ width: id, ...choice }));
}

function choiceOf({
  removeDead,
  mergeIdentical,
  mergeCollapsing,
  least,
  by,
}: ShrinkChoiceOptions): ShrinkChoice {
  if (least !== undefined) {
    const names = Object.keys(importances) as ImportanceName[];
    if (by === undefined) {
      throw badOption("--least", "needs --by, the score to judge by", least, `Known: ${names.join(", ")}.`);
    }
    return { remove: { least: wholeNumber("--least", least), by: oneOf("--by", by, names) } };
  }
  if (mergeCollapsing === true) return { remove: "collapsing" };
  if (removeDead === true) return { remove: mergeIdentical === true ? "redundant" : "dead" };
  return { remove: "identical" };
}
