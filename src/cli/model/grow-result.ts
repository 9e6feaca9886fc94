import { bindDim, type Dim } from "../../graph/dim.ts";
import type { Model } from "../../graph/model.ts";
import { summarize } from "../../growth/examine/summary.ts";
import { exactRuleOf } from "../../growth/grow/exact-rule.ts";
import type { GrownModel, GrowthStep } from "../../growth/grow/grow-model.ts";
import { planDocument } from "../../growth/grow/plan-file.ts";
import { grouped } from "../../tensor/number-text.ts";
import type { Verification } from "../../training/verification/verify.ts";
import { batchAxis } from "../options/sizes-option.ts";
import { dimText, visible } from "../print/format.ts";
import { type TextColumn, textTable, wrapped } from "../print/text-table.ts";
import { verdict, verificationJson, verificationText } from "../print/verification-text.ts";

/** What `grow` did, or what it would do with `--dry-run`. */
export interface GrowOutcome extends GrownModel {
  readonly path: string;
  readonly before: Model;
  /** Path of the grown model; undefined if none was written. */
  readonly out: string | undefined;
  /** Undefined if not requested. */
  readonly verification: Verification | undefined;
}

/** The one JSON document of `--json`. */
export function growJson({ path, out, before, model, steps, left, verification }: GrowOutcome): object {
  const [old, grown] = [summarize(before), summarize(model)];
  return {
    model: path,
    out: out ?? null,
    growths: steps.map((step) => ({
      ...(step.kind === "depth"
        ? { kind: step.kind, id: step.width, blocks: step.by, hidden: step.hidden }
        : { kind: step.kind, id: step.width, from: step.from, to: step.to, method: step.method }),
      exact: exactRuleOf(step) ?? null,
    })),
    left: left.map(({ width, reason }) => ({ id: width, reason })),
    parameters: { before: old.parameters, after: grown.parameters },
    flops: { before: old.flops, after: grown.flops },
    verification: verification === undefined ? null : verificationJson(verification),
    plan: planDocument(before, steps),
  };
}

const columns: readonly [TextColumn, ...TextColumn[]] = [
  { title: "  width", align: "left" },
  { title: "units", align: "right" },
  { title: "method", align: "left" },
  { title: "strategy", align: "left" },
];

/** A short account for people; the full plan if no model was to be written. */
export function growText(outcome: GrowOutcome, savedPlan: string | undefined): string {
  const { path, out, before, model, steps, left, verification } = outcome;
  const dryRun = out === undefined && verification === undefined;
  const rows = steps.map((step) =>
    step.kind === "depth"
      ? [`  ${step.width}`, `+${step.by} × ${step.hidden}`, "identity blocks", ""]
      : [`  ${step.width}`, `${step.from} → ${step.to}`, step.method, step.strategy],
  );
  const lines = [
    out === undefined ? path : `${path} → ${out}`,
    ...textTable(columns, rows, (row) => (dryRun ? editLines(steps[row] as GrowthStep) : [])),
    ...left.flatMap(({ width, reason }) => wrapped(`left as it is: ${width}: ${reason}`, "  ")),
    ...costLines(before, model),
    ...ruleLines(steps),
    ...(verification === undefined
      ? [dryRun ? "dry run: no model was written" : "not verified"]
      : [`outputs: ${verdict(verification)}`]),
    ...(verification !== undefined && !verification.preserved ? verificationText(verification) : []),
    ...(savedPlan === undefined || verification?.outcome === "different" ? [] : [`plan: ${savedPlan}`]),
  ];
  return `${lines.map(visible).join("\n")}\n`;
}

/** The rules that make the growths exact, each once; they are known before anything is run. */
function ruleLines(steps: readonly GrowthStep[]): readonly string[] {
  const texts = steps.map((step) => {
    const exact = exactRuleOf(step);
    if (exact === undefined)
      return `not exact: strategy ${"strategy" in step ? step.strategy : ""} moves outputs`;
    const condition = exact.condition.startsWith("none") ? "" : `; holds if ${exact.condition}`;
    return `exact by rule: ${exact.rule}${condition}`;
  });
  return [...new Set(texts)].flatMap((text) => wrapped(text, ""));
}

/** The costs of two sizes of a model, in parameters and in FLOPs per example. */
export function costLines(before: Model, after: Model): readonly string[] {
  const [old, now] = [summarize(before), summarize(after)];
  const batch = batchAxis(before);
  const perExample = (flops: Dim) => (batch === undefined ? flops : bindDim(flops, new Map([[batch, 1]])));
  return [
    `parameters ${grouped(old.parameters)} → ${grouped(now.parameters)}`,
    ...wrapped(`FLOPs ${dimText(perExample(old.flops))} → ${dimText(perExample(now.flops))}`, ""),
  ];
}

/** The changes of a growth, parameter by parameter. */
function editLines(step: GrowthStep): readonly string[] {
  if (step.kind === "depth") return [];
  const edits = step.edits.map(({ parameter, axis, role, fill }) => {
    const values = fill === "strategy" ? `${role} (${step.strategy})` : `${role} (${fill})`;
    return `${parameter}[${axis}] ${values}`;
  });
  const others = [
    ...step.numbers.map(({ node, to }) => `a size of the node that makes ${node} becomes ${to}`),
    ...step.repairs.map(({ node, factor }) => `a number of the node that makes ${node} times ${factor}`),
  ];
  return [...edits, ...others].flatMap((text) => wrapped(text, "      "));
}
