import type { Model } from "../../graph/model.ts";
import { summarize } from "../../growth/examine/summary.ts";
import type { ShrunkModel } from "../../growth/shrink/shrink-model.ts";
import type { ShrinkPlan } from "../../growth/shrink/shrink-plan.ts";
import { figure } from "../../tensor/number-text.ts";
import type { compareOnData } from "../../training/examine/shrink-evidence.ts";
import type { Verification } from "../../training/verification/verify.ts";
import { visible } from "../print/format.ts";
import { type TextColumn, textTable, wrapped } from "../print/text-table.ts";
import { verdict, verificationJson, verificationText } from "../print/verification-text.ts";
import { costLines } from "./grow-result.ts";

/** What `shrink` did, or what it would do with `--dry-run`. */
export interface ShrinkOutcome extends ShrunkModel {
  readonly path: string;
  readonly before: Model;
  /** Path of the smaller model; undefined if none was written. */
  readonly out: string | undefined;
  readonly dryRun: boolean;
  /** On seeded inputs; undefined if not requested, or if only the data can decide. */
  readonly verification: Verification | undefined;
  /** On the examples of `--data`. */
  readonly onData: Awaited<ReturnType<typeof compareOnData>> | undefined;
}

/** The one JSON document of `--json`. */
export function shrinkJson(outcome: ShrinkOutcome): object {
  const { path, out, before, model, steps, left, verification, onData } = outcome;
  const [old, now] = [summarize(before), summarize(model)];
  return {
    model: path,
    out: out ?? null,
    shrinks: steps.map(({ width, from, to, exactness, gone }) => ({ id: width, from, to, exactness, gone })),
    left: left.map(({ width, ...rest }) => ({ id: width, ...rest })),
    parameters: { before: old.parameters, after: now.parameters },
    flops: { before: old.flops, after: now.flops },
    verification: verification === undefined ? null : verificationJson(verification),
    onData: onData ?? null,
    plans: steps,
  };
}

const columns: readonly [TextColumn, ...TextColumn[]] = [
  { title: "  width", align: "left" },
  { title: "units", align: "right" },
  { title: "removed", align: "right" },
  { title: "merged", align: "right" },
  { title: "", align: "left" },
];

/** A short account for people; lists every unit if no model was to be written. */
export function shrinkText(outcome: ShrinkOutcome): string {
  const { path, out, before, model, steps, left, verification, onData, dryRun } = outcome;
  const rows = steps.map(({ width, from, to, exactness, gone }) => {
    const merged = gone.filter(({ into }) => into !== undefined).length;
    return [`  ${width}`, `${from} → ${to}`, String(gone.length - merged), String(merged), exactness];
  });
  const lines = [
    out === undefined ? path : `${path} → ${out}`,
    ...textTable(columns, rows, (row) => (dryRun ? unitLines(steps[row] as ShrinkPlan) : [])),
    ...left.flatMap(({ width, unit, reason }) => {
      const what = unit === undefined ? width : `unit ${unit} of ${width}`;
      return wrapped(`left as it is: ${what}: ${reason}`, "  ");
    }),
    ...costLines(before, model),
    ...(dryRun ? ["dry run: no model was written"] : []),
    ...(verification === undefined ? [] : [`outputs: ${verdict(verification)}`]),
    ...(onData === undefined ? [] : [dataLine(onData)]),
    ...(dryRun || verification !== undefined || onData !== undefined ? [] : ["not verified"]),
    ...(verification?.preserved === false ? verificationText(verification) : []),
  ];
  return `${lines.map(visible).join("\n")}\n`;
}

function dataLine({ examples, identical, maximum, loss }: NonNullable<ShrinkOutcome["onData"]>): string {
  const moved = identical ? "the same, bit for bit" : `at most ${figure(maximum, 2)} apart`;
  return `on ${examples} examples: ${moved}, loss ${loss.before.toPrecision(4)} → ${loss.after.toPrecision(4)}`;
}

/** Why each unit is removed. */
function unitLines({ gone }: ShrinkPlan): readonly string[] {
  return gone.flatMap(({ unit, into, reason }) =>
    wrapped(`${into === undefined ? `unit ${unit}` : `unit ${unit} into ${into}`}: ${reason}`, "      "),
  );
}
