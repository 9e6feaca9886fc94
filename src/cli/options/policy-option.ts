import { scores } from "../../growth/scores/index.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { didYouMean, nearest } from "../../tensor/unknown-name.ts";
import type { GrowthPolicy, HowMany, RuledPolicy, Trial, When, Where } from "../../training/policy/policy.ts";
import { readPolicy } from "../../training/policy/read-policy.ts";
import { badOption, decimal, oneOf, wholeNumber } from "./option-values.ts";

/** The options of `espalier train` that let it decide when, where and by how much to grow. */
export interface PolicyOptions {
  /** A policy as JSON; the command line gives its file. */
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

/** The policy that the options give, if any. Throws `USAGE`, or `ARGUMENT` for one from a file. */
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
      'For example {"when": {"plateau": {"window": 50, "minGain": 0.01}}, "howMany": {"fraction": 0.25}}.',
    );
  }
}

/** A way to say when to grow: its syntax and its meaning. */
interface WhenForm {
  readonly form: string;
  readonly example: string;
  /** Undefined if there are too few parts or too many. */
  readonly read: (parts: readonly string[]) => When | undefined;
}

const whenForms: Readonly<Record<string, WhenForm>> = {
  every: {
    form: "every=STEPS",
    example: "every=200",
    read: one((steps) => ({ every: wholeNumber("--grow-when every", steps) })),
  },
  at: {
    form: "at=STEP,STEP",
    example: "at=100,300",
    read: one((steps) => ({ at: steps.split(",").map((step) => wholeNumber("--grow-when at", step, 0)) })),
  },
  plateau: {
    form: "plateau=WINDOW:SHARE",
    example: "plateau=50:0.01",
    read: two((window, gain) => ({
      plateau: {
        window: wholeNumber("window of --grow-when plateau", window),
        minGain: share("share of --grow-when plateau", gain),
      },
    })),
  },
  score: {
    form: "score=STEPS:DECREASE",
    example: "score=100:1e-3",
    read: two((steps, decrease) => ({
      score: {
        every: wholeNumber("steps of --grow-when score", steps),
        above: decimal("decrease of --grow-when score", decrease, { least: 0 }),
      },
    })),
  },
  budget: {
    form: "budget=SHARE",
    example: "budget=0.2",
    read: one((part) => ({ budget: { every: share("--grow-when budget", part) } })),
  },
};

function one(read: (part: string) => When): WhenForm["read"] {
  return ([part = "", ...more]) => (part === "" || more.length > 0 ? undefined : read(part));
}

function two(read: (first: string, second: string) => When): WhenForm["read"] {
  return ([first = "", second = "", ...more]) =>
    first === "" || second === "" || more.length > 0 ? undefined : read(first, second);
}

function when(text: string): When {
  const [name = "", value = ""] = halves(text);
  const form = Object.hasOwn(whenForms, name) ? whenForms[name] : undefined;
  const made = form?.read(value.split(":"));
  if (made !== undefined) return made;
  if (form !== undefined)
    throw badOption("--grow-when", `must be of the form ${form.form}`, text, `For example ${form.example}.`);
  const forms = Object.values(whenForms).map((known) => known.form);
  const meant = nearest(name, Object.keys(whenForms));
  const example = (whenForms[meant ?? "plateau"] as WhenForm).example;
  throw badOption(
    "--grow-when",
    `must be one of ${forms.join(", ")}`,
    text,
    `${meant === undefined ? "" : `Did you mean ${meant}? `}For example ${example}.`,
  );
}

/** Words that cannot be names of widths; any other word can. */
const whereWords: Readonly<Record<string, Where>> = {
  "round-robin": { roundRobin: "all" },
  together: { together: "all" },
  best: { best: "flops" },
  "best-per-parameter": { best: "parameters" },
  "best-per-unit": { best: "units" },
};

function where(text: string): Where {
  const word = Object.hasOwn(whereWords, text) ? whereWords[text] : undefined;
  if (word !== undefined) return word;
  return text.includes(",") ? { roundRobin: text.split(",") } : { width: text };
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

/** Limits other than sizes of widths. Those of the budget end the run, the others end growth. */
const limits = {
  parameters: { part: "stop", read: wholeNumber },
  growths: { part: "stop", read: wholeNumber },
  steps: { part: "stop", read: wholeNumber },
  flops: { part: "budget", read: positive },
  seconds: { part: "budget", read: positive },
} as const;

function positive(option: string, text: string): number {
  return decimal(option, text, { above: 0 });
}

function until(texts: readonly string[]): Pick<RuledPolicy, "stop" | "budget"> {
  const parts = { stop: {}, budget: {}, widths: {} } as Record<
    "stop" | "budget" | "widths",
    Record<string, number>
  >;
  for (const text of texts) {
    const [name = "", value = ""] = halves(text);
    if (name === "" || value === "") throw untilForm(text);
    const limit = Object.hasOwn(limits, name) ? limits[name as keyof typeof limits] : undefined;
    const into = parts[limit?.part ?? "widths"];
    if (Object.hasOwn(into, name)) {
      const both = texts.filter((other) => halves(other)[0] === name).join(" ");
      throw badOption(`--grow-until ${name}`, "may be given once", both, "Leave one of them out.");
    }
    into[name] = (limit?.read ?? wholeNumber)(`--grow-until ${name}`, value);
  }
  const { budget, widths } = parts;
  const stop = { ...parts.stop, ...(Object.keys(widths).length > 0 ? { widths } : {}) };
  return {
    ...(Object.keys(stop).length > 0 ? { stop } : {}),
    ...(Object.keys(budget).length > 0 ? { budget } : {}),
  };
}

function untilForm(text: string) {
  const names = Object.keys(limits);
  const [name = ""] = halves(text);
  const meant = names.includes(name) ? name : nearest(name, names);
  return badOption(
    "--grow-until",
    `must be ${names.map((known) => `${known}=`).join(", ")} or WIDTH= and a number`,
    text,
    `For example ${meant ?? (name === "" ? "hidden1" : name)}=${meant === "growths" ? 4 : meant === undefined ? 128 : 1000}.`,
  );
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

/**
 * The same error, suggesting the word that was probably meant if an option has a name that is neither a keyword nor a
 * width. Only the run knows its widths.
 */
export function withPolicyWords(error: unknown, { growWhere, growUntil = [] }: PolicyOptions): unknown {
  if (!(error instanceof EspalierError) || error.code !== "UNKNOWN_WIDTH") return error;
  const { code, thing, rule, received, remedy = "", cause } = error;
  const name = String(received);
  const words = [
    ...(growWhere?.split(",").includes(name) ? Object.keys(whereWords) : []),
    ...(growUntil.some((text) => halves(text)[0] === name) ? Object.keys(limits) : []),
  ];
  const meant = didYouMean(name, words);
  if (meant === undefined) return error;
  return new EspalierError(code, { thing, rule, received, remedy: `${meant} ${remedy}`, cause });
}

const share = (option: string, text: string) => decimal(option, text, { above: 0, below: 1 });

/** Splits "hidden1=128"; names may contain an equals sign, numbers do not. */
function halves(text: string): readonly string[] {
  const at = text.lastIndexOf("=");
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
