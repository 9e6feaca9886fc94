import type { RunArm } from "../../report/record/run-record.ts";
import { grouped, short } from "../../tensor/number-text.ts";
import { clock, score } from "../print/format.ts";
import { decisionText, growthText } from "../print/live-progress.ts";
import type { RunFolder } from "./run-folder.ts";

/** Both arms of the demo with one seed. */
export interface DemoPair {
  readonly seed: number;
  readonly examples: { readonly train: number; readonly test: number };
  readonly arms: { readonly grown: RunArm; readonly scratch: RunArm };
  /** ONNX. */
  readonly models: { readonly grown: Uint8Array; readonly scratch: Uint8Array };
}

/** The one JSON document of `--json`. */
export function demoJson(pairs: readonly DemoPair[], folder: RunFolder, seconds: number): object {
  return {
    pairs: pairs.map(({ seed, examples, arms }) => ({
      seed,
      examples,
      arms: [arms.grown, arms.scratch].map((arm) => ({
        name: arm.name,
        final: arm.final,
        parameters: arm.parameters,
        widths: arm.points.at(-1)?.widths,
        dead: deadUnits(arm),
        flops: arm.points.at(-1)?.flops,
        seconds: arm.points.at(-1)?.seconds,
        growths: arm.growths,
        decisions: arm.decisions,
      })),
    })),
    seconds,
    files: {
      folder: folder.path,
      report: folder.file("report.html"),
      reportJson: folder.file("report.json"),
      metrics: folder.file("metrics.jsonl"),
      models: [folder.file("grown.onnx"), folder.file("from-scratch.onnx")],
    },
  };
}

/** What happened, in a few lines and a table; with `decisions`, also the policy's decisions, if not yet printed. */
export function demoText(
  pairs: readonly DemoPair[],
  folder: RunFolder,
  seconds: number,
  decisions: boolean,
): string {
  const first = pairs[0] as DemoPair;
  const arms = [first.arms.grown.name, first.arms.scratch.name];
  const lists = [pairs.map((pair) => pair.arms.grown), pairs.map((pair) => pair.arms.scratch)];
  const accuracies = lists.map((list) => list.map((arm) => arm.final.accuracy ?? Number.NaN));
  const table = tableText([
    ["", "test accuracy: mean (least to most)", "test loss", "parameters", "FLOPs", "seconds"],
    ...lists.map((list, index) => {
      const values = accuracies[index] ?? [];
      return [
        arms[index] ?? "",
        `${score("accuracy", mean(values))} (${score("accuracy", Math.min(...values))} to ${score("accuracy", Math.max(...values))})`,
        mean(list.map((arm) => arm.final.loss)).toFixed(4),
        grouped(mean(list.map((arm) => arm.parameters))),
        short(mean(list.map((arm) => arm.points.at(-1)?.flops ?? 0))),
        mean(list.map((arm) => arm.points.at(-1)?.seconds ?? 0)).toFixed(2),
      ];
    }),
  ]);
  const share =
    mean(lists[0]?.map((arm) => arm.points.at(-1)?.flops ?? 0) ?? []) /
    mean(lists[1]?.map((arm) => arm.points.at(-1)?.flops ?? 0) ?? []);
  const { grown, scratch } = first.arms;
  return [
    ...(decisions ? decided(first) : []),
    preservation(pairs),
    "",
    ...table,
    "",
    `${pairs.length} seeds, ${first.examples.test} test examples each: one example is ${(100 / first.examples.test).toFixed(1)} points, so small differences say nothing.`,
    `The grown networks (${pairs.map(({ arms }) => shape(arms.grown)).join(", ")}) used ${(100 * share).toFixed(0)} % of the FLOPs of ${shape(scratch)}, scoring and growing included. Networks this small spend their seconds elsewhere than in arithmetic.`,
    `Dead hidden units at the end (seed ${first.seed}): ${deadUnits(grown)} grown, ${deadUnits(scratch)} from scratch.`,
    `Report: ${folder.file("report.html")} (seed ${first.seed}; all took ${clock(seconds)})`,
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function decided({ seed, arms: { grown } }: DemoPair): readonly string[] {
  return [
    `What the policy decided (seed ${seed}), and why:`,
    ...(grown.decisions ?? []).map((decision) => `  ${decisionText(decision)}`),
    ...grown.growths.map((growth) => `  ${growthText(growth)}`),
  ];
}

/** Units of the hidden layers at the end: "32-16". */
function shape(arm: RunArm): string {
  return Object.values(arm.points.at(-1)?.widths ?? {}).join("-");
}

/** Whether outputs were preserved and new units could learn, over all growths. */
function preservation(pairs: readonly DemoPair[]): string {
  const growths = pairs.flatMap((pair) => pair.arms.grown.growths);
  const kept = growths.filter((growth) => growth.output.preserved).length;
  const identical = growths.filter((growth) => growth.output.identical).length;
  const units = growths.flatMap((growth) => growth.newUnits);
  const learning = units.filter((unit) => !unit.dead).length;
  const moved =
    identical === growths.length
      ? `Nothing moved: in all ${growths.length} growths every output stayed the same to the last bit`
      : kept === growths.length
        ? `Nothing moved: in all ${growths.length} growths every output stayed within rounding, in ${identical} to the last bit`
        : `In ${growths.length - kept} of ${growths.length} growths an output moved by more than rounding`;
  return `${moved}. ${learning} of ${units.length} new units were active on the batch at hand and had a gradient at once.`;
}

/** Units that the last diagnosis found dead on test examples. */
function deadUnits(arm: RunArm): number {
  return (arm.diagnoses.at(-1)?.widths ?? []).reduce((sum, width) => sum + width.dead.length, 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function tableText(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
}
