import { unknownName } from "../../tensor/unknown-name.ts";
import type { Strategy } from "../plan/strategy.ts";
import type { Width } from "../plan/width.ts";
import { bestOf, candidates } from "./candidates.ts";
import { constant } from "./constant.ts";
import { gradmax } from "./gradmax.ts";
import { halved } from "./halved.ts";
import { net2wider, net2widerNoisy } from "./net2wider.ts";
import { orthogonal } from "./orthogonal.ts";
import { paired } from "./paired.ts";
import { random } from "./random.ts";
import { tiny } from "./tiny.ts";
import { uniform } from "./uniform.ts";
import { vectorSplit } from "./vector-split.ts";
import { zeroIn } from "./zero-in.ts";
import { zeros } from "./zeros.ts";

/** The one table of strategies; the last three are the article's pitfalls. */
export const strategies = {
  random,
  uniform,
  orthogonal,
  candidates,
  paired,
  net2wider,
  net2widerNoisy,
  vectorSplit,
  zeroIn,
  gradmax,
  tiny,
  zeros,
  constant,
  halved,
} as const satisfies Readonly<Record<string, Strategy>>;

export type StrategyName = keyof typeof strategies;

/** The default strategy if there are data: candidates, if the width leaves them a choice. */
export function defaultOnData(width: Width): Strategy {
  return candidates.refuses?.(width) === undefined ? candidates : random;
}

/**
 * The most candidates for one growth: more are not worth the time, and the name may come from untrusted
 * input.
 */
const mostCandidates = 65_536;

/** By name; "candidates:512" draws 512 candidates. Throws `ARGUMENT`, listing the strategies. */
export function strategyOf(name: string): Strategy {
  const [, count] = /^candidates:([1-9]\d{0,5})$/.exec(name) ?? [];
  if (count !== undefined && Number(count) <= mostCandidates) return bestOf(Number(count));
  if (Object.hasOwn(strategies, name)) return strategies[name as StrategyName];
  throw unknownName("ARGUMENT", "strategy", name, Object.keys(strategies));
}
