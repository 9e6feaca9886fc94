import { makerOf, optimizers } from "../../training/optimizers/index.ts";
import type { Optimizer } from "../../training/optimizers/optimizer.ts";
import type { OptionRule } from "../../training/options/option-rules.ts";
import type { Schedule } from "../../training/schedules/index.ts";
import { choicesHelp, namedChoice, optionValue, ownersOf } from "../options/named-choice.ts";
import { badOption, decimal } from "../options/option-values.ts";

/** The options of the optimizer as typed. */
export interface RawOptimizerOptions {
  readonly optimizer: string;
  readonly learningRate?: string;
  readonly momentum?: string;
  readonly nesterov?: boolean;
  readonly weightDecay?: string;
}

/** Options with their own flags, for every optimizer that has them. */
const flags = { momentum: "--momentum", nesterov: "--nesterov", weightDecay: "--weight-decay" } as const;

export const optimizerHelp = `NAME or NAME:OPTION=VALUE,...: ${choicesHelp(optimizers)}`;

/** "of sgd, rmsprop": the optimizers that a flag applies to. */
export const goesWith = (option: keyof typeof flags) => `of ${ownersOf(optimizers, option).join(", ")}`;

/** The optimizer, given its schedule, and its initial learning rate. Throws `USAGE`. */
export function optimizerOption(raw: RawOptimizerOptions): {
  readonly rate: number;
  readonly optimizer: (learningRate: Schedule) => Optimizer;
} {
  const { name, options: typed } = namedChoice("--optimizer", raw.optimizer, optimizers);
  const maker = makerOf(name);
  const options: Record<string, number | boolean> = { ...typed };
  for (const [option, flag] of Object.entries(flags)) {
    const value = raw[option as keyof typeof flags];
    if (value === undefined || value === false) continue;
    const rule: OptionRule | undefined = maker.options[option];
    if (rule === undefined)
      throw badOption(flag, `goes with --optimizer ${ownersOf(optimizers, option).join(" or ")}`, name);
    options[option] = optionValue(flag, String(value), rule);
  }
  if (raw.nesterov && (options.momentum ?? maker.options.momentum?.default) === 0)
    throw badOption("--nesterov", "needs --momentum above 0", raw.momentum ?? "none");
  const rate =
    raw.learningRate === undefined ? maker.rate : decimal("--learning-rate", raw.learningRate, { above: 0 });
  return { rate, optimizer: (learningRate) => maker({ ...options, learningRate } as never) };
}
