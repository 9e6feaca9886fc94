import type { Dataset } from "../../data/dataset.ts";
import { widthOf } from "../../growth/find/widths.ts";
import { defaultCandidates } from "../../growth/strategies/candidates.ts";
import { strategyOf } from "../../growth/strategies/index.ts";
import { unitCost } from "../measure/score-widths.ts";
import { allowedWidths } from "../policy/check-policy.ts";
import type { GrowthPolicy } from "../policy/policy.ts";
import type { Situation } from "../policy/situation.ts";
import type { LoopTrainer } from "./loop-trainer.ts";

/** Examples that scores and strategies use, if there are that many. */
const sampled = 512;

/**
 * The situation of a run between two updates; `last`: no update follows. The FLOPs of the next one are computed only if
 * there is a budget of them.
 */
export function observe(trainer: LoopTrainer, policy: GrowthPolicy, data: Dataset, last: boolean): Situation {
  const { step, flops } = trainer.progress;
  const limited = "budget" in policy && policy.budget?.flops !== undefined;
  const strategy = policy.strategy === undefined ? undefined : strategyOf(policy.strategy);
  return {
    step,
    flops,
    last,
    stepFlops: limited ? trainer.nextStepFlops(data) : 0,
    tryingFlops(width, units) {
      const cost = unitCost(widthOf(trainer.widths, width), trainer.widths).flops;
      // Forward and backward through the network and through the candidates: three times a forward pass.
      const each = trainer.flopsPerExample + 3 * cost * Math.max(defaultCandidates, units);
      return Math.min(sampled, data.count) * each;
    },
    chooses: strategy === undefined || strategy.choose !== undefined,
    widths: allowedWidths(policy, trainer.widths).map(({ id, size, multiple }) => ({
      id,
      size,
      multiple: commonMultiple(multiple, strategy?.multiple ?? 1),
    })),
    parametersAfter: (growths) => trainer.parametersAfter(growths),
  };
}

function commonMultiple(a: number, b: number): number {
  let least = a;
  while (least % b !== 0) least += a;
  return least;
}
