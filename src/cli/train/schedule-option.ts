import { brokenRule, type OptionRule, type OptionRules } from "../../training/options/option-rules.ts";
import { type Schedule, scheduleNamed, schedules } from "../../training/schedules/index.ts";
import { choicesHelp, namedChoice, optionValue, ownersOf } from "../options/named-choice.ts";
import { badOption } from "../options/option-values.ts";

/** The options of the schedule as typed. */
export interface RawScheduleOptions {
  readonly schedule: string;
  readonly warmup?: string;
  readonly hold?: string;
  readonly finalRate?: string;
  readonly decayEvery?: string;
  readonly decayFactor?: string;
}

/** Options with their own flags, for every schedule that has them. */
const flags = {
  warmup: ["warmup", "--warmup"],
  hold: ["hold", "--hold"],
  final: ["finalRate", "--final-rate"],
  every: ["decayEvery", "--decay-every"],
  factor: ["decayFactor", "--decay-factor"],
} as const;

export const scheduleHelp = `of the learning rate, NAME or NAME:OPTION=VALUE,...: ${choicesHelp(schedules)}`;

/** "for --schedule cosine, wsd": the schedules that a flag applies to. */
export const forSchedules = (option: keyof typeof flags) =>
  `for --schedule ${ownersOf(schedules, option).join(", ")}`;

/** The schedule, given the number of steps of the run. Throws `USAGE`. */
export function scheduleOption(raw: RawScheduleOptions, rate: number): (steps: number) => Schedule {
  const { name, options: typed } = namedChoice("--schedule", raw.schedule, schedules);
  const rules: OptionRules = schedules[name].options;
  const given: Record<string, number | boolean> = { ...typed };
  for (const [option, [key, flag]] of Object.entries(flags)) {
    const value = raw[key];
    const rule: OptionRule | undefined = rules[option];
    if (value !== undefined && rule === undefined)
      throw badOption(
        flag,
        `goes with --schedule ${ownersOf(schedules, option).join(" or ")}`,
        `--schedule ${name}`,
      );
    if (value !== undefined && rule !== undefined) given[option] = optionValue(flag, value, rule);
    if (rule !== undefined && given[option] === undefined && brokenRule(rule, rule.default) !== undefined)
      throw badOption(`--schedule ${name}`, `needs ${flag}, ${rule.says}`, "none");
  }
  return (steps) => {
    const { warmup = 0, hold = 0 } = given;
    if (Number(warmup) + Number(hold) >= steps)
      throw badOption(
        "--warmup and --hold",
        `must be less than the ${steps} steps of the run`,
        Number(warmup) + Number(hold),
      );
    return scheduleNamed(name, rate, given, steps);
  };
}
