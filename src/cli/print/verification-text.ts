import { figure, grouped } from "../../tensor/number-text.ts";
import type { OutputCoverage } from "../../training/verification/coverage.ts";
import { isUnseen } from "../../training/verification/new-unit-watch.ts";
import type { OutputCheck, Verification } from "../../training/verification/verify.ts";
import { exitCodes } from "./exit-code.ts";
import { visible } from "./format.ts";
import { type TextColumn, textTable, wrapped } from "./text-table.ts";

/** One output, over all inputs tried. */
interface OutputResult extends OutputCoverage {
  readonly maximum: number;
  readonly relative: number;
  /** The tolerance of the entry that came closest to its own. */
  readonly bound: number;
  readonly identical: boolean;
  readonly differing: number;
  readonly misplaced: number;
  readonly undecided: number;
  readonly beyond: number;
}

/** The part of a JSON document that says whether two models compute the same. */
export function verificationJson(result: Verification): object {
  const { outcome, preserved, identical, maximum, relative, byRule, withoutBound, newUnits, checks } = result;
  return {
    outcome,
    preserved,
    identical,
    maximum,
    relative,
    byRule: byRule === "" ? null : byRule,
    withoutBound: withoutBound === "" ? null : withoutBound,
    outputs: byOutput(result),
    newUnits,
    checks,
  };
}

/** The exit code of a command that only compares. */
export function exitCodeOfOutcome({ outcome }: Pick<Verification, "outcome">): number {
  if (outcome === "same") return exitCodes.success;
  return outcome === "different" ? exitCodes.different : exitCodes.nothingCompared;
}

const columns: readonly [TextColumn, ...TextColumn[]] = [
  { title: "output", align: "left" },
  { title: "entries", align: "right" },
  { title: "not finite", align: "right" },
  { title: "differ", align: "right" },
  { title: "largest", align: "right" },
  { title: "allowed", align: "right" },
  { title: "", align: "left" },
];

/** The account for people: a line per output, and what was run. */
export function verificationText(result: Verification): readonly string[] {
  const { newUnits, withoutBound, byRule, identical } = result;
  const all = byOutput(result);
  const rows = all.map((one) => [
    one.output,
    grouped(one.entries),
    grouped(one.entries - one.finite),
    grouped(one.differing),
    figure(one.maximum, 2),
    one.identical ? "-" : figure(one.bound, 2),
    one.beyond > 0 ? "DIFFERS" : !one.compared ? "nothing compared" : one.identical ? "identical" : "within",
  ]);
  const below = (row: number) => remarks(all[row] as OutputResult).flatMap((text) => wrapped(text, "  "));
  return [
    ...textTable(columns, rows, below),
    ...newUnits
      .filter(({ woken, units }) => woken < units)
      .flatMap((one) => {
        const { width, units, woken } = one;
        const sleeping = `${units - woken} of ${units} new units of ${width} were zero, or not finite, on all inputs`;
        const unseen = byRule === "" && isUnseen(one);
        return wrapped(unseen ? `${sleeping}: nothing was compared for them` : sleeping, "");
      }),
    ...wrapped(inputsLine(result), ""),
    ...wrapped(
      byRule === ""
        ? "observed on these samples; no rule proves it for all inputs"
        : `exact by rule: ${byRule}`,
      "",
    ),
    ...(identical || withoutBound === "" ? [] : wrapped(`no rounding bound: ${withoutBound}`, "")),
  ].map(visible);
}

/** Remarks that the figures in a line leave out. */
function remarks(one: OutputResult): readonly string[] {
  return [
    ...(one.compared || one.beyond > 0 ? [] : [`nothing was compared for this output: ${one.reason}`]),
    ...(one.compared && one.varying < one.places
      ? [`${grouped(one.places - one.varying)} of ${grouped(one.places)} entries are the same for all inputs`]
      : []),
    ...(one.misplaced > 0 ? [`NaN or infinity in another place in ${grouped(one.misplaced)} entries`] : []),
    ...(one.undecided > 0 ? [`${grouped(one.undecided)} entries are ties that rounding alone decides`] : []),
  ];
}

/** "inputs: N(0, 1), [0, 1]; sizes: batch=3, sequence=7 and batch=1, sequence=4" */
function inputsLine({ checks }: Verification): string {
  const kinds = new Set(checks.map(({ inputs }) => inputs));
  const sizes = new Set(
    checks.map((check) => Object.entries(check.sizes).map(([name, size]) => `${name}=${size}`)).map(String),
  );
  const told = [...sizes].filter((text) => text !== "").map((text) => text.replaceAll(",", ", "));
  return `inputs: ${[...kinds].join("; ")}${told.length === 0 ? "" : `. Sizes: ${told.join("; ")}`}`;
}

/** "the same, bit for bit, on 12 sets of inputs", for a line of text. */
export function verdict(result: Verification): string {
  const { outcome, identical, maximum, checks, outputs, newUnits } = result;
  const sets = new Set(checks.map(({ sizes, inputs }) => JSON.stringify([sizes, inputs]))).size;
  const tried = `on ${sets} ${sets === 1 ? "set" : "sets"} of inputs`;
  const unseen = outputs.filter(({ compared }) => !compared).map(({ output }) => `output "${output}"`);
  const asleep = newUnits
    .filter((one) => result.byRule === "" && isUnseen(one))
    .map(({ width }) => `new units of ${width}`);
  switch (outcome) {
    case "different": {
      if (!Number.isFinite(maximum)) return `different: NaN or infinity in different places, ${tried}`;
      return `different: by up to ${figure(maximum, 2)} ${tried}`;
    }
    case "nothing compared":
      return `nothing was compared for ${[...unseen, ...asleep].join(", ")} ${tried}`;
    case "same":
      return identical
        ? `the same, bit for bit, ${tried}`
        : `the same but for rounding (at most ${figure(maximum, 2)}) ${tried}`;
  }
}

function byOutput({ checks, outputs }: Verification): readonly OutputResult[] {
  return outputs.map((coverage) => {
    const own = checks.filter(({ output }) => output === coverage.output);
    const sum = (of: (check: OutputCheck) => number) => own.reduce((total, check) => total + of(check), 0);
    const closest = own.reduce((a, b) => (share(b) > share(a) ? b : a));
    return {
      ...coverage,
      maximum: Math.max(...own.map(({ maximum }) => maximum)),
      relative: Math.max(...own.map(({ relative }) => relative)),
      bound: closest.bound,
      identical: own.every((check) => check.identical),
      differing: sum(({ differing }) => differing),
      misplaced: sum(({ misplaced }) => misplaced),
      undecided: sum(({ undecided }) => undecided),
      beyond: sum(({ beyond }) => beyond),
    };
  });
}

/** The fraction of its tolerance that a difference uses. */
function share({ maximum, bound }: OutputCheck): number {
  return maximum === 0 ? 0 : maximum / bound;
}
