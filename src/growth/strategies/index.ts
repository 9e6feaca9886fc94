import { EspalierError } from "../../tensor/errors.ts";
import type { Strategy } from "../strategy.ts";
import { constant } from "./constant.ts";
import { halved } from "./halved.ts";
import { random } from "./random.ts";
import { zeros } from "./zeros.ts";

/** The one table of strategies. */
export const strategies = { random, zeros, constant, halved } as const satisfies Readonly<
  Record<string, Strategy>
>;

export type StrategyName = keyof typeof strategies;

/** Throws `ARGUMENT`, listing the strategies there are. */
export function strategyOf(name: string): Strategy {
  if (Object.hasOwn(strategies, name)) return strategies[name as StrategyName];
  throw new EspalierError("ARGUMENT", {
    thing: "strategy",
    rule: "must be a known one",
    received: name,
    remedy: `Known: ${Object.keys(strategies).join(", ")}.`,
  });
}
