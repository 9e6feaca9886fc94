import { type Fill, fillHe, fillOne, keepZero } from "../../growth/plan/fills.ts";
import type { Strategy } from "../../growth/plan/strategy.ts";
import type { WidthPart } from "../../growth/plan/width.ts";
import type { Role } from "../../ops/rules/axis-rule.ts";
import { EspalierError } from "../../tensor/errors.ts";

type FillName = WidthPart["fill"];

/** How entries of a new unit are made, whatever the others are: what can be streamed. */
export type EntryFill =
  | { readonly kind: "constant"; readonly value: number }
  /**
   * Drawn from N(0, deviation²), one after the other, from the unit's generator. A unit has `length` entries in this
   * parameter, and there are `units` units when it is grown.
   */
  | { readonly kind: "normal"; readonly deviation: (length: number, units: number) => number };

const normal = (deviation: (length: number, units: number) => number): EntryFill => ({
  kind: "normal",
  deviation,
});
const always = (value: number): EntryFill => ({ kind: "constant", value });

/** The same values as the library's fills, entry by entry. */
const entryOf = new Map<Fill, EntryFill>([
  [keepZero, always(0)],
  [fillOne, always(1)],
  [fillHe, normal((length) => Math.sqrt(2 / length))],
]);

/** The fills of a plan that look at nothing but the entry. */
const named: { readonly [Name in FillName]?: EntryFill } = {
  zero: always(0),
  draw: normal((_, units) => 1 / Math.sqrt(units)),
  offset: normal(() => 0.1),
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
