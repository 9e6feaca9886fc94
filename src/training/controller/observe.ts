import type { Dataset } from "../../data/dataset.ts";
import { strategyOf } from "../../growth/strategies/index.ts";
import type { Trainer } from "../trainer.ts";
import { allowedWidths } from "./check-policy.ts";
import type { GrowthPolicy } from "./policy.ts";
import type { Situation } from "./situation.ts";

/**
 * How a run stands between two updates; `last`: no update follows. The FLOPs of the next one are reckoned only where there
 * is a budget of them.
 */
export function observe(trainer: Trainer, policy: GrowthPolicy, data: Dataset, last: boolean): Situation {
  const { step, flops } = trainer.progress;
  const limited = "budget" in policy && policy.budget?.flops !== undefined;
  const { multiple: pairs = 1 } = policy.strategy === undefined ? {} : strategyOf(policy.strategy);
  return {
    step,
    flops,
    last,
    stepFlops: limited ? trainer.nextStepFlops(data) : 0,
    widths: allowedWidths(policy, trainer.widths).map(({ id, size, multiple }) => ({
      id,
      size,
      multiple: commonMultiple(multiple, pairs),
    })),
    parametersAfter: (growths) => trainer.parametersAfter(growths),
  };
}

function commonMultiple(a: number, b: number): number {
  let least = a;
  while (least % b !== 0) least += a;
  return least;
}
