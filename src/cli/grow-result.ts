import { bindDim, type Dim } from "../graph/dim.ts";
import type { GrowthPlan } from "../growth/plan.ts";
import { planDocument } from "../growth/plan-file.ts";
import { summarise } from "../growth/summary.ts";
import { amount, grouped, visible } from "./format.ts";
import type { GrowOutcome } from "./grow.ts";
import { batchAxis } from "./sizes-option.ts";
import { type Column, textTable, wrapped } from "./text-table.ts";
import { verdict, verificationJson, verificationText } from "./verification-text.ts";

/** The one JSON document of `--json`. */
export function growJson({ path, out, before, model, plans, left, verification }: GrowOutcome): object {
  const [old, grown] = [summarise(before), summarise(model)];
  return {
    model: path,
    out: out ?? null,
    widths: plans.map(({ width, from, to, method }) => ({ id: width, from, to, method })),
    left: left.map(({ width, reason }) => ({ id: width, reason })),
    parameters: { before: old.parameters, after: grown.parameters },
    flops: { before: old.flops, after: grown.flops },
    verification: verification === undefined ? null : verificationJson(verification),
    plan: planDocument(before, plans),
  };
}

const columns: readonly [Column, ...Column[]] = [
  { title: "  width", align: "left" },
  { title: "units", align: "right" },
  { title: "method", align: "left" },
  { title: "strategy", align: "left" },
];

/** A short account for people; the plan in full where no model was written for want of being asked. */
export function growText(outcome: GrowOutcome, savedPlan: string | undefined): string {
  const { path, out, before, model, plans, left, verification } = outcome;
  const dryRun = out === undefined && verification === undefined;
  const rows = plans.map(({ width, from, to, method, strategy }) => [
    `  ${width}`,
    `${from} → ${to}`,
    method,
    strategy,
  ]);
  const [old, grown] = [summarise(before), summarise(model)];
  const batch = batchAxis(before);
  const perExample = (flops: Dim) => (batch === undefined ? flops : bindDim(flops, new Map([[batch, 1]])));
  const lines = [
    out === undefined ? path : `${path} → ${out}`,
    ...textTable(columns, rows, (row) => (dryRun ? editLines(plans[row] as GrowthPlan) : [])),
    ...left.flatMap(({ width, reason }) => wrapped(`left as it is: ${width}: ${reason}`, "  ")),
    `parameters ${grouped(old.parameters)} → ${grouped(grown.parameters)}`,
    ...wrapped(`FLOPs ${amount(perExample(old.flops))} → ${amount(perExample(grown.flops))}`, ""),
    ...(verification === undefined
      ? [dryRun ? "dry run: no model was written" : "not verified"]
      : [`outputs: ${verdict(verification)}`]),
    ...(verification?.preserved === false ? verificationText(verification) : []),
    ...(savedPlan === undefined || verification?.preserved === false ? [] : [`plan: ${savedPlan}`]),
  ];
  return `${lines.map(visible).join("\n")}\n`;
}

/** What a growth changes, parameter by parameter. */
function editLines(plan: GrowthPlan): readonly string[] {
  const edits = plan.edits.map(({ parameter, axis, role, fill }) => {
    const values = fill === "strategy" ? `${role} (${plan.strategy})` : `${role} (${fill})`;
    return `${parameter}[${axis}] ${values}`;
  });
  const others = [
    ...plan.numbers.map(({ node, to }) => `a size of the node that makes ${node} becomes ${to}`),
    ...plan.repairs.map(({ node, factor }) => `a number of the node that makes ${node} times ${factor}`),
  ];
  return [...edits, ...others].flatMap((text) => wrapped(text, "      "));
}
