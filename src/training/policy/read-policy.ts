import { EspalierError } from "../../tensor/errors.ts";
import { didYouMean, unknownName } from "../../tensor/unknown-name.ts";
import type { GrowthPolicy } from "./policy.ts";

/** Throws if the value at a path, such as "when.plateau.window", is not what it must be. */
type Check = (value: unknown, path: string) => void;

/** A growth policy from JSON. Throws `ARGUMENT`, naming the place, for anything that is not one. */
export function readPolicy(value: unknown): GrowthPolicy {
  policy(value, "");
  return value as GrowthPolicy;
}

const thingAt = (path: string) => (path === "" ? "growth policy" : `growth policy, ${path}`);

function refuse(path: string, rule: string, received: unknown, remedy?: string): never {
  throw new EspalierError("ARGUMENT", {
    thing: thingAt(path),
    rule,
    received,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

const whole =
  (least: number): Check =>
  (value, path) => {
    if (!Number.isSafeInteger(value) || (value as number) < least)
      refuse(path, `must be a whole number of at least ${least}`, value);
  };

const number =
  (fits: (value: number) => boolean, rule: string): Check =>
  (value, path) => {
    if (typeof value !== "number" || !Number.isFinite(value) || !fits(value)) refuse(path, rule, value);
  };

const positive = number((value) => value > 0, "must be a positive number");
const notNegative = number((value) => value >= 0, "must be a number of at least 0");
const share = number((value) => value > 0 && value < 1, "must be a fraction between 0 and 1");
const shareOrAll = number((value) => value > 0 && value <= 1, "must be a fraction above 0 and at most 1");
/** A loss that may rise by a share is one that need not fall: below 0 is allowed, and asks for less than nothing. */
const relative = number((value) => value < 1, "must be a relative decrease below 1, such as 0.01");

const text: Check = (value, path) => {
  if (typeof value !== "string" || value === "") refuse(path, "must be a name", value);
};

const among =
  (...words: readonly string[]): Check =>
  (value, path) => {
    if (!words.includes(value as string)) throw unknownName("ARGUMENT", thingAt(path), value, words);
  };

const list =
  (element: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value) || value.length === 0) refuse(path, "must be a list that is not empty", value);
    const elements = value as readonly unknown[];
    elements.forEach((one, index) => {
      element(one, `${path}[${index}]`);
      if (typeof one !== "object" && elements.indexOf(one) !== index)
        refuse(path, "must not name anything twice", one);
    });
  };

const widths: Check = (value, path) => (value === "all" ? undefined : list(text)(value, path));

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const sizes: Check = (value, path) => {
  if (!isRecord(value) || Object.keys(value).length === 0)
    return refuse(path, 'must give sizes by width, such as { "hidden1": 128 }', value);
  for (const [width, size] of Object.entries(value)) whole(1)(size, `${path}.${width}`);
};

/** An object with these fields and no others. A question mark after a name makes it optional. */
const record = (fields: Readonly<Record<string, Check>>): Check => {
  const checks = Object.entries(fields).map(([name, check]) => ({
    name: name.replace(/\?$/, ""),
    optional: name.endsWith("?"),
    check,
  }));
  const names = checks.map(({ name }) => name);
  return (value, path) => {
    if (!isRecord(value)) return refuse(path, `must be an object with ${names.join(", ")}`, value);
    const strange = Object.keys(value).find((name) => !names.includes(name));
    if (strange !== undefined)
      refuse(
        within(path, strange),
        `is not known; there may be ${names.join(", ")}`,
        value[strange],
        didYouMean(strange, names),
      );
    for (const { name, optional, check } of checks) {
      if (value[name] !== undefined) check(value[name], within(path, name));
      else if (!optional) refuse(within(path, name), "must be given", undefined);
    }
  };
};

const within = (path: string, name: string) => (path === "" ? name : `${path}.${name}`);

/** One of several records, distinguished by the field that each is listed under. */
const oneOf =
  (cases: Readonly<Record<string, Check>>): Check =>
  (value, path) => {
    const names = Object.keys(cases);
    const found = isRecord(value) ? names.filter((name) => value[name] !== undefined) : [];
    const [name = ""] = found;
    if (found.length !== 1) return refuse(path, `must have one of ${names.join(", ")}, and no second`, value);
    cases[name]?.(value, path);
  };

/** An empty list means a run that does not grow. */
const events: Check = (value, path) => {
  if (!Array.isArray(value) || value.length > 0) list(event)(value, path);
};

const event = (value: unknown, path: string) =>
  oneOf({
    at: record({ width: text, by: whole(1), at: whole(0) }),
    every: record({ width: text, by: whole(1), every: whole(1), "until?": whole(1) }),
  })(value, path);

const when = oneOf({
  every: record({ every: whole(1), "from?": whole(0) }),
  at: record({ at: list(whole(0)) }),
  plateau: record({
    plateau: record({
      window: whole(1),
      minGain: relative,
      "patience?": whole(1),
      "atLeast?": whole(1),
    }),
  }),
  score: record({ score: record({ every: whole(1), above: notNegative }) }),
  budget: record({ budget: record({ every: share }) }),
});

const where = oneOf({
  width: record({ width: text }),
  roundRobin: record({ roundRobin: widths }),
  together: record({ together: widths }),
  best: record({ best: among("flops", "parameters", "units"), "among?": list(text) }),
});

const howMany = oneOf({
  units: record({ units: whole(1) }),
  fraction: record({ fraction: positive }),
  marginal: record({ marginal: record({ share: shareOrAll, most: whole(1) }) }),
  targets: record({ targets: sizes, growths: whole(1) }),
});

const stop = record({
  "parameters?": whole(1),
  "widths?": sizes,
  "growths?": whole(1),
  "steps?": whole(0),
  "noGain?": record({ growths: whole(1), minGain: relative }),
});

const ruled = record({
  when,
  "where?": where,
  howMany,
  "stop?": stop,
  "budget?": record({ "flops?": positive, "seconds?": positive }),
  "trial?": record({ steps: whole(1), minGain: relative, "loss?": among("training", "validation") }),
  "strategy?": text,
  "score?": text,
  "smoothing?": whole(1),
});

const policy = oneOf({ events: record({ events, "strategy?": text }), when: ruled });
