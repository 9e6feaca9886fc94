import { amount, percent, plural } from "../../tensor/number-text.ts";
import type { DueGrowth } from "./growth-schedule.ts";
import type { HowMany, Stop } from "./policy.ts";
import type { ScoreTaken } from "./scores.ts";
import type { Situation, WidthNow } from "./situation.ts";

/** Units to add, and the sentence that explains them. */
export interface Units {
  readonly by: number;
  readonly why: string;
}

/** The largest number of units that a rule can ask for: only that many gains are needed. */
export function mostUnits(howMany: HowMany, width: WidthNow, grown: number): number {
  return "marginal" in howMany
    ? wholeMultiple(howMany.marginal.most, width)
    : unitsFor(howMany, width, grown).by;
}

/** How many units the rule asks for, before any limit. `grown` counts the growths of this width so far. */
export function unitsFor(howMany: HowMany, width: WidthNow, grown: number, score?: ScoreTaken): Units {
  if ("units" in howMany) return { by: wholeMultiple(howMany.units, width), why: "" };
  if ("fraction" in howMany) {
    const by = wholeMultiple(Math.ceil(howMany.fraction * width.size), width);
    return { by, why: `${percent(howMany.fraction)} of ${plural(width.size, "unit")}` };
  }
  if ("marginal" in howMany) {
    const { share, most } = howMany.marginal;
    const gains = score?.gains ?? [];
    const [best = 0] = gains;
    const good = best > 0 ? gains.slice(0, most).filter((gain) => gain >= share * best).length : 0;
    const why = `${plural(good, "unit")} of ${width.id} promise${good === 1 ? "s" : ""} at least ${percent(share)} of what the best does`;
    return { by: good === 0 ? 0 : wholeMultiple(good, width), why };
  }
  const target = howMany.targets[width.id] ?? width.size;
  const left = Math.max(1, howMany.growths - grown);
  const next = Math.round(width.size * (target / width.size) ** (1 / left));
  const by = Math.min(wholeMultiple(Math.max(1, next - width.size), width), room(target, width));
  return { by, why: `growth ${grown + 1} of ${howMany.growths} towards ${plural(target, "unit")}` };
}

/** The smallest number of at least `units` that the width can grow by. */
function wholeMultiple(units: number, { multiple }: WidthNow): number {
  return Math.ceil(units / multiple) * multiple;
}

/** The units by which it can grow without getting larger than `most`. */
function room(most: number, { size, multiple }: WidthNow): number {
  return Math.max(0, Math.floor((most - size) / multiple) * multiple);
}

/**
 * The most units, up to `wanted`, that keep within the limits, given what else grows at this moment; 0 if there is no
 * room. `parametersAfter` must not fall as units are added.
 */
export function withinLimits(
  width: WidthNow,
  wanted: number,
  { stop, howMany }: { readonly stop?: Stop | undefined; readonly howMany: HowMany },
  others: readonly DueGrowth[],
  parametersAfter: Situation["parametersAfter"],
): Units {
  const target = "targets" in howMany ? howMany.targets[width.id] : undefined;
  const largest = Math.min(
    stop?.widths?.[width.id] ?? Number.POSITIVE_INFINITY,
    target ?? Number.POSITIVE_INFINITY,
  );
  const bySize = Number.isFinite(largest) ? Math.min(wanted, room(largest, width)) : wanted;
  const limit = stop?.parameters ?? Number.POSITIVE_INFINITY;
  const fits = (by: number) => parametersAfter([...others, { width: width.id, by }]) <= limit;
  // Bisection over multiples: `low` fits, `high` does not.
  let [low, high] = [0, bySize / width.multiple + 1];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle * width.multiple)) low = middle;
    else high = middle;
  }
  const by = low * width.multiple;
  const cut = by < bySize ? `${amount(limit)} parameters` : by < wanted ? plural(largest, "unit") : "";
  return { by, why: cut === "" ? "" : `cut from ${wanted} to ${by} for at most ${cut}` };
}
