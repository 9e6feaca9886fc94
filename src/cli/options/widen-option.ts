import type { GrowthEvent } from "../../training/policy/growth-schedule.ts";
import { badOption, wholeNumber } from "./option-values.ts";

const form = "must be WIDTH=+UNITS@STEP, such as hidden1=+16@500, or WIDTH=+UNITS with --every";

export interface WidenFlags {
  readonly widen: readonly string[];
  readonly every?: string | undefined;
  readonly until?: string | undefined;
}

/** Growth events from `--widen`, `--every` and `--until`. Throws `USAGE`. */
export function widenEvents({ widen, every, until }: WidenFlags): readonly GrowthEvent[] {
  const events = widen.map((text): GrowthEvent => {
    const match = /^(?<width>[^=]+)=\+(?<by>\d+)(?:@(?<at>\d+))?$/.exec(text);
    if (match?.groups === undefined) throw badOption("--widen", form, text);
    const { width = "", by = "", at } = match.groups;
    const units = wholeNumber(`units of --widen ${text}`, by);
    if (at !== undefined) return { width, by: units, at: wholeNumber(`step of --widen ${text}`, at, 0) };
    if (every === undefined) throw badOption("--widen", form, text, "Add @STEP, or --every STEPS.");
    return {
      width,
      by: units,
      every: wholeNumber("--every", every),
      ...(until === undefined ? {} : { until: wholeNumber("--until", until) }),
    };
  });
  const repeated = events.some((event) => "every" in event);
  for (const [option, value] of [
    ["--every", every],
    ["--until", until],
  ] as const) {
    if (value === undefined || repeated) continue;
    throw badOption(
      option,
      "needs a --widen without @STEP",
      value,
      "For example --widen hidden1=+16 --every 500.",
    );
  }
  return events;
}
