import { isPreserved, relativeLimit } from "../growth/compare.ts";
import type { OutputCheck, Verification } from "../training/verify.ts";
import { figure, visible } from "./format.ts";
import { type Column, textTable, wrapped } from "./text-table.ts";

/** One output over all inputs that were tried. */
interface OutputResult {
  readonly output: string;
  readonly maximum: number;
  readonly relative: number;
  /** The bound where an entry came closest to it. */
  readonly bound: number;
  readonly withinBound: boolean;
  readonly identical: boolean;
}

/** The part of a JSON document that says whether two models compute the same. */
export function verificationJson(result: Verification): object {
  const { preserved, identical, maximum, relative, withoutBound, checks } = result;
  return {
    preserved,
    identical,
    maximum,
    relative,
    withoutBound: withoutBound === "" ? null : withoutBound,
    outputs: byOutput(checks),
    checks: checks.map(({ output, sizes, ...difference }) => ({ output, sizes, ...difference })),
  };
}

const columns: readonly [Column, ...Column[]] = [
  { title: "output", align: "left" },
  { title: "largest difference", align: "right" },
  { title: "relative", align: "right" },
  { title: "rounding bound", align: "right" },
  { title: "", align: "left" },
];

/** The account for people: a line for each output. */
export function verificationText(result: Verification): readonly string[] {
  const bounded = result.withoutBound === "";
  const rows = byOutput(result.checks).map((one) => {
    const within = isPreserved(one, bounded);
    return [
      one.output,
      figure(one.maximum),
      figure(one.relative),
      one.identical || !bounded || !Number.isFinite(one.bound) ? "-" : figure(one.bound),
      one.identical ? "identical" : within ? "within" : "DIFFERS",
    ];
  });
  const limit = `limit: ${relativeLimit} relative${bounded ? ", and the rounding bound" : ""}`;
  return [
    ...textTable(columns, rows),
    ...(result.identical ? [] : [limit]),
    ...(bounded ? [] : wrapped(`no rounding bound: ${result.withoutBound}`, "")),
  ].map(visible);
}

/** "the same, bit for bit", for a line of text. */
export function verdict({ preserved, identical, maximum, checks }: Verification): string {
  const sets = new Set(checks.map(({ sizes }) => JSON.stringify(sizes))).size;
  const tried = `on ${sets} ${sets === 1 ? "set" : "sets"} of seeded inputs`;
  if (identical) return `the same, bit for bit, ${tried}`;
  return preserved
    ? `the same but for rounding (at most ${figure(maximum)}) ${tried}`
    : `different: by ${figure(maximum)} ${tried}`;
}

function byOutput(checks: readonly OutputCheck[]): readonly OutputResult[] {
  return [...new Set(checks.map(({ output }) => output))].map((output) => {
    const own = checks.filter((check) => check.output === output);
    const closest = own.reduce((a, b) => (share(b) > share(a) ? b : a));
    return {
      output,
      maximum: worst(own.map(({ maximum }) => maximum)),
      relative: worst(own.map(({ relative }) => relative)),
      bound: closest.bound,
      withinBound: own.every((check) => check.withinBound),
      identical: own.every((check) => check.identical),
    };
  });
}

/** How much of its bound a difference takes up. */
function share({ maximum, bound }: OutputCheck): number {
  return maximum === 0 ? 0 : maximum / bound;
}

/** The largest; NaN, which nothing is larger than, where there is one. */
function worst(values: readonly number[]): number {
  return values.reduce((most, value) => (value > most || Number.isNaN(value) ? value : most), 0);
}
