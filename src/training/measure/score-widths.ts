import { type Dim, evaluateDim, namesOf } from "../../graph/dim.ts";
import { widthOf } from "../../growth/find/widths.ts";
import type { WidthScore } from "../../growth/plan/score.ts";
import { widthSizes } from "../../growth/plan/symbols.ts";
import type { Width } from "../../growth/plan/width.ts";
import { type ScoreName, scoreOf } from "../../growth/scores/index.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { OptionNames } from "../../tensor/known-options.ts";
import { ModelProbe, type Probed } from "./model-probe.ts";
import type { Sample } from "./sample.ts";

export interface ScoreRequest {
  /** Default "candidates". */
  readonly method?: ScoreName;
  /** Ids of widths. Default: every width that can grow. */
  readonly widths?: readonly string[];
  /** New units whose gains are predicted. Default 8. */
  readonly units?: number;
}

/** Their names, for callers in JavaScript. */
export const scoreNames: OptionNames<ScoreRequest> = { method: true, widths: true, units: true };

/**
 * Predicts for each width how much its best new units would lower the loss. A width that the method cannot judge has no
 * gains but a reason. Throws `UNKNOWN_WIDTH`, `ARGUMENT`.
 */
export async function scoreWidths(
  probed: Probed,
  sample: Sample,
  { method = "candidates", widths, units = 8 }: ScoreRequest,
  seed: number,
): Promise<readonly WidthScore[]> {
  const score = scoreOf(method);
  if (!Number.isSafeInteger(units) || units < 1) {
    throw new EspalierError("ARGUMENT", {
      thing: "units to score",
      rule: "must be a positive whole number",
      received: units,
    });
  }
  const chosen =
    widths === undefined
      ? probed.widths.filter((width) => width.growable)
      : widths.map((id) => widthOf(probed.widths, id));
  const results: WidthScore[] = [];
  for (const width of chosen) {
    const started = performance.now();
    const probe = new ModelProbe(probed, width.id, sample);
    const refusal = width.growable ? (score.refuses?.(width) ?? "") : width.reason;
    const { gains, reason } =
      refusal === ""
        ? await gainsOf(() => score.gains(probe, { units, seed }))
        : { gains: [], reason: refusal };
    const costPerUnit = unitCost(width, probed.widths);
    const total = gains.reduce((sum, gain) => sum + gain, 0);
    const count = Math.max(1, gains.length);
    results.push({
      width: width.id,
      method,
      size: width.size,
      gains,
      perParameter: total / (count * costPerUnit.parameters),
      perFlop: total / (count * costPerUnit.flops),
      costPerUnit,
      reason,
      cost: { flops: probe.flops, seconds: (performance.now() - started) / 1000 },
    });
  }
  return results;
}

/** A condition that only the measurement reveals is a reason, too. */
async function gainsOf(
  measure: () => Promise<readonly number[]>,
): Promise<{ readonly gains: readonly number[]; readonly reason: string }> {
  try {
    const gains = await measure();
    if (gains.every(Number.isFinite)) return { gains, reason: "" };
    return { gains: [], reason: "what its new units promise is not finite on the data" };
  } catch (error) {
    if (error instanceof EspalierError && error.code === "NOT_GROWABLE")
      return { gains: [], reason: error.rule };
    throw error;
  }
}

/** The cost of one more unit of a width; FLOPs are those of one example's forward pass. */
export function unitCost(width: Width, widths: readonly Width[]): WidthScore["costPerUnit"] {
  const { parameters, flops } = width.costPerUnit;
  return { parameters, flops: Math.max(1, evaluate(flops, widths)) };
}

/** For one example: a size that is not known counts as 1. */
function evaluate(dim: Dim, widths: readonly Width[]): number {
  const sizes = widthSizes(widths);
  for (const name of namesOf(dim)) if (!sizes.has(name)) sizes.set(name, 1);
  return evaluateDim(dim, sizes) as number;
}
