import { type ExactRule, exactDepth, exactOutputs, exactVocabulary, methods } from "../find/methods.ts";
import { keepZero } from "../plan/fills.ts";
import { strategyOf } from "../strategies/index.ts";
import type { GrowthStep } from "./grow-model.ts";

/** The rule that makes a growth exact; undefined for a strategy that moves outputs. */
export function exactRuleOf(step: GrowthStep): ExactRule | undefined {
  if (step.kind === "depth") return exactDepth;
  if (step.kind === "output") return exactOutputs;
  if (step.kind === "vocabulary") return exactVocabulary;
  const strategy = strategyOf(step.strategy);
  if (!strategy.preserves) return undefined;
  const exact = methods.find(({ name }) => name === step.method)?.exact;
  const own = step.method === "zero outgoing" && strategy.outgoing !== keepZero;
  // The strategy determines the outgoing weights, and so the rule.
  return exact && own ? { ...exact, rule: `${strategy.name}: ${strategy.summary}` } : exact;
}
