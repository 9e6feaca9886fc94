import { scores } from "../growth/scores/index.ts";
import type {
  GrowthPolicy,
  HowMany,
  RuledPolicy,
  Trial,
  When,
  Where,
} from "../training/controller/policy.ts";
import { readPolicy } from "../training/controller/read-policy.ts";
import { badOption, decimal, oneOf, wholeNumber } from "./option-values.ts";

/** The options of `espalier train` by which it decides itself when, where and by how much to grow. */
export interface PolicyOptions {
  /** A policy as JSON; the command line names a file. */
  readonly grow?: string | undefined;
  readonly growWhen?: string | undefined;
  readonly growWhere?: string | undefined;
  readonly growUnits?: string | undefined;
  readonly growUntil?: readonly string[] | undefined;
  readonly growTrial?: string | undefined;
  readonly growScore?: string | undefined;
}

const parts = {
  "--grow-when": "growWhen",
  "--grow-where": "growWhere",
  "--grow-units": "growUnits",
  "--grow-until": "growUntil",
  "--grow-trial": "growTrial",
  "--grow-score": "growScore",
} as const;

/** The policy that the options state; undefined where they state none. Throws `USAGE`, or `ARGUMENT` for one out of a file. */
export function policyOption(options: PolicyOptions, strategy: string | undefined): GrowthPolicy | undefined {
  const given = Object.entries(parts).flatMap(([option, key]) =>
    options[key] === undefined ? [] : [option],
  );
  const { grow, growWhen, growUnits, growWhere, growUntil, growTrial, growScore } = options;
  if (grow !== undefined) {
    const clash = strategy === undefined ? given : [...given, "--strategy"];
    if (clash.length === 0) return readPolicy(parsed(grow));
    throw badOption("--grow", "is a whole policy and excludes its parts", clash.join(" "));
  }
  const [first] = given;
  if (first === undefined) return undefined;
  if (growWhen === undefined)
    throw badOption(first, "needs --grow-when", "none", "For example --grow-when plateau=50:0.01.");
  if (growUnits === undefined)
    throw badOption(first, "needs --grow-units", "none", "For example --grow-units 8 or 25%.");
  return {
    when: when(growWhen),
    ...(growWhere === undefined ? {} : { where: where(growWhere) }),
    howMany: howMany(growUnits),
    ...until(growUntil ?? []),
    ...(growTrial === undefined ? {} : { trial: trial(growTrial) }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(growScore === undefined ? {} : { score: oneOf("--grow-score", growScore, Object.keys(scores)) }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badOption(
      "--grow",
      `must name a file with JSON: ${cause instanceof Error ? cause.message : cause}`,
      text,
    );
  }
}

const whenForm =
  "must be every=STEPS, at=STEP,STEP, plateau=WINDOW:SHARE, score=STEPS:DECREASE or budget=SHARE, such as plateau=50:0.01";

function when(text: string): When {
  const [name = "", value = ""] = halves(text);
  const [first = "", second = "", more] = value.split(":");
  const whole = (part: string) => wholeNumber(`--grow-when ${name}`, part);
  if (more !== undefined || (second !== "" && name !== "plateau" && name !== "score"))
    throw badOption("--grow-when", whenForm, text);
  switch (name) {
    case "every":
      return { every: whole(first) };
    case "at":
      return { at: first.split(",").map((step) => wholeNumber("--grow-when at", step, 0)) };
    case "plateau":
      return { plateau: { window: whole(first), minGain: share("--grow-when plateau", second) } };
    case "score":
      return {
        score: { every: whole(first), above: decimal("--grow-when score", second, { least: 0 }) },
      };
    case "budget":
      return { budget: { every: share("--grow-when budget", first) } };
    default:
      throw badOption("--grow-when", whenForm, text);
  }
}

/** Names of widths may hold anything: only these words are kept. */
function where(text: string): Where {
  switch (text) {
    case "round-robin":
      return { roundRobin: "all" };
    case "together":
      return { together: "all" };
    case "best":
      return { best: "flops" };
    case "best-per-parameter":
      return { best: "parameters" };
    case "best-per-unit":
      return { best: "units" };
    default:
      return text.includes(",") ? { roundRobin: text.split(",") } : { width: text };
  }
}

const unitsForm =
  "must be UNITS, SHARE%, marginal=SHARE[:MOST] or WIDTH=UNITS,WIDTH=UNITS@GROWTHS, such as 8 or 25%";

function howMany(text: string): HowMany {
  if (/^\d+$/.test(text)) return { units: wholeNumber("--grow-units", text) };
  const percent = /^(?<share>[^%=]+)%$/.exec(text)?.groups?.share;
  if (percent !== undefined) return { fraction: decimal("--grow-units", percent, { above: 0 }) / 100 };
  const marginal = /^marginal=(?<share>[^:]+)(?::(?<most>\d+))?$/.exec(text)?.groups;
  if (marginal !== undefined) {
    const most = wholeNumber("--grow-units marginal", marginal.most ?? "32");
    return { marginal: { share: share("--grow-units marginal", marginal.share ?? ""), most } };
  }
  const targets = /^(?<sizes>.+=.+)@(?<growths>\d+)$/.exec(text)?.groups;
  if (targets === undefined) throw badOption("--grow-units", unitsForm, text);
  const sizes = (targets.sizes ?? "").split(",").map((one): [string, number] => {
    const [width = "", units = ""] = halves(one);
    return [width, wholeNumber(`--grow-units ${width}`, units)];
  });
  return {
    targets: Object.fromEntries(sizes),
    growths: wholeNumber("growths of --grow-units", targets.growths ?? ""),
  };
}

const untilForm =
  "must be parameters=, flops=, seconds=, growths=, steps= or WIDTH= and a number, such as hidden1=128";

function until(texts: readonly string[]): Pick<RuledPolicy, "stop" | "budget"> {
  const stop: Record<string, unknown> = {};
  const budget: Record<string, number> = {};
  const widths: Record<string, number> = {};
  for (const text of texts) {
    const [name = "", value = ""] = halves(text);
    const option = `--grow-until ${name}`;
    if (name === "" || value === "") throw badOption("--grow-until", untilForm, text);
    if (name === "flops" || name === "seconds") budget[name] = decimal(option, value, { above: 0 });
    else if (name === "parameters" || name === "growths" || name === "steps")
      stop[name] = wholeNumber(option, value);
    else widths[name] = wholeNumber(option, value);
  }
  if (Object.keys(widths).length > 0) stop.widths = widths;
  return {
    ...(Object.keys(stop).length > 0 ? { stop: stop as NonNullable<RuledPolicy["stop"]> } : {}),
    ...(Object.keys(budget).length > 0 ? { budget } : {}),
  };
}

function trial(text: string): Trial {
  const [steps = "", minGain = "", loss, more] = text.split(":");
  if (minGain === "" || more !== undefined)
    throw badOption("--grow-trial", "must be STEPS:SHARE or STEPS:SHARE:validation, such as 200:0.01", text);
  return {
    steps: wholeNumber("--grow-trial", steps),
    minGain: decimal("--grow-trial", minGain, { below: 1 }),
    ...(loss === undefined ? {} : { loss: oneOf("--grow-trial", loss, ["training", "validation"] as const) }),
  };
}

const share = (option: string, text: string) => decimal(option, text, { above: 0, below: 1 });

/** "hidden1=128" in two; names may hold an equals sign, numbers do not. */
function halves(text: string): readonly string[] {
  const at = text.lastIndexOf("=");
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
