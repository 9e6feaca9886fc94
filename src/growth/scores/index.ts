import { unknownName } from "../../tensor/unknown-name.ts";
import type { Score } from "../plan/score.ts";
import { candidatesScore } from "./candidates.ts";
import { gradmaxScore } from "./gradmax.ts";
import { sennScore } from "./senn.ts";
import { tinyScore } from "./tiny.ts";

/** The one table of scores. */
export const scores = {
  candidates: candidatesScore,
  gradmax: gradmaxScore,
  tiny: tinyScore,
  senn: sennScore,
} as const satisfies Readonly<Record<string, Score>>;

export type ScoreName = keyof typeof scores;

/** Throws `ARGUMENT`, listing the scores. */
export function scoreOf(name: string): Score {
  if (Object.hasOwn(scores, name)) return scores[name as ScoreName];
  throw unknownName("ARGUMENT", "score", name, Object.keys(scores));
}
