import { type Fill, fillHe, fillOne, keepZero } from "../../growth/plan/fills.ts";
import type { Strategy } from "../../growth/plan/strategy.ts";
import type { WidthPart } from "../../growth/plan/width.ts";
import type { Role } from "../../ops/rules/axis-rule.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Random } from "../../tensor/random.ts";

type FillName = WidthPart["fill"];

/** How one entry of a new unit is made, whatever the others are: what can be streamed. */
export interface EntryFill {
  /** Words of the unit's generator that an entry takes. */
  readonly words: number;
  /** `length` entries has a unit in this parameter, of `units` units when grown. */
  readonly value: (draws: Random, length: number, units: number) => number;
}

const drawn = (deviation: (length: number, units: number) => number): EntryFill => ({
  words: 2,
  value: (draws, length, units) => deviation(length, units) * draws.normal(),
});
const always = (value: number): EntryFill => ({ words: 0, value: () => value });

/** The same values as the library's fills, entry by entry. */
const entryOf = new Map<Fill, EntryFill>([
  [keepZero, always(0)],
  [fillOne, always(1)],
  [fillHe, drawn((length) => Math.sqrt(2 / length))],
]);

/** The fills of a plan that look at nothing but the entry. */
const named: { readonly [Name in FillName]?: EntryFill } = {
  zero: always(0),
  draw: drawn((_, units) => 1 / Math.sqrt(units)),
  offset: drawn(() => 0.1),
};

/** Undefined for fills that copy, average or share out old units. */
export function entryFill(fill: FillName, role: Role, strategy: Strategy): EntryFill | undefined {
  if (fill !== "strategy") return named[fill];
  return entryOf.get(role === "offset" ? strategy.shift : strategy[role]);
}

/** Throws `ARGUMENT` for a strategy that looks at old units or at data. */
export function checkStreamed(strategy: Strategy): void {
  const roles = ["incoming", "outgoing", "shift", "scale"] as const;
  if (strategy.choose === undefined && roles.every((role) => entryOf.has(strategy[role]))) return;
  throw new EspalierError("ARGUMENT", {
    thing: `strategy ${strategy.name}`,
    rule: "makes new units from whole tensors or data, and a folder is written piece by piece",
    received: strategy.name,
    remedy: "Use random.",
  });
}
