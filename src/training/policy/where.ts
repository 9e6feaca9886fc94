import { figure, listed } from "../../tensor/number-text.ts";
import type { Where } from "./policy.ts";
import { gainOf, type ScoreTaken } from "./scores.ts";
import type { WidthNow } from "./situation.ts";
import type { ScoreSeen } from "./state.ts";

/** A width that can grow now, and the units that it would grow by. */
export interface Candidate extends WidthNow {
  readonly by: number;
  readonly score?: ScoreTaken | undefined;
}

/** The widths to grow, in order, and why these. */
export interface WhereChoice {
  readonly widths: readonly Candidate[];
  readonly why: string;
  /** Where the next width of a round robin is looked for. */
  readonly turn: number;
}

/**
 * Chooses among candidates. `order` lists every width that the rule is about, whether it can grow now or not; a round
 * robin continues in it from `turn`.
 */
export function chooseWhere(
  where: Where | undefined,
  able: readonly Candidate[],
  order: readonly string[],
  turn: number,
): WhereChoice {
  if (where === undefined || "roundRobin" in where) {
    for (let offset = 0; offset < order.length; offset++) {
      const at = (turn + offset) % order.length;
      const width = able.find(({ id }) => id === order[at]);
      if (width === undefined) continue;
      const why = order.length === 1 ? "" : `it is the turn of ${width.id}`;
      return { widths: [width], why, turn: (at + 1) % order.length };
    }
    return { widths: [], why: "no width can grow", turn };
  }
  if ("width" in where) return { widths: able, why: "", turn };
  if ("together" in where) return { widths: able, why: `${listed(able.map(({ id }) => id))} together`, turn };
  const per = where.best;
  const ranked = ranking(able, per);
  const [first, ...others] = ranked;
  const promised = ranked.map(({ width, perCost }) => `${width} ${figure(perCost)}`);
  const best = able.find(({ id }) => id === first?.width);
  const unit = { flops: "FLOP", parameters: "parameter", units: "unit" }[per];
  const why = `${first?.width} promises the largest decrease of the loss per ${unit}${others.length > 0 ? ` (${promised.slice(0, 4).join(", ")})` : ` (${figure(first?.perCost ?? 0)})`}`;
  return { widths: best === undefined || (first?.perCost ?? 0) <= 0 ? [] : [best], why, turn };
}

/** What the scores say of the candidates, best first; of equal ones, the first. */
export function ranking(
  able: readonly Candidate[],
  per: "flops" | "parameters" | "units",
): readonly ScoreSeen[] {
  return able
    .flatMap(({ id, by, score }): ScoreSeen[] => {
      if (score === undefined) return [];
      const cost = by * (per === "units" ? 1 : score.costPerUnit[per]);
      const perCost = cost > 0 ? gainOf(score, by) / cost : 0;
      return [{ width: id, method: score.method, best: score.gains[0] ?? 0, perCost, by }];
    })
    .sort((a, b) => b.perCost - a.perCost);
}
