import type { Against, LineSummary } from "../../compare/analyze.ts";
import { shortRatio } from "../../compare/findings.ts";
import { type ComparisonResults, groupFailures } from "../../compare/results.ts";
import type { Estimate } from "../../compare/statistics/bootstrap.ts";
import { short } from "../../tensor/number-text.ts";
import { clock } from "../print/format.ts";
import { textTable, wrapped } from "../print/text-table.ts";

/** What a comparison prints on stdout: one row per line of the report, then the outcome in words. */
export function compareText(
  { comparison, summaries, findings, failures, tuned, first }: ComparisonResults,
  out: string,
): string {
  const { reference, seeds } = comparison;
  const shown = summaries.filter(({ kind }) => kind !== "member of a sweep");
  const table = textTable(
    [
      { title: "", align: "left" },
      { title: "loss", align: "right" },
      { title: "FLOPs to target", align: "right" },
      { title: "seconds to target", align: "right" },
      { title: "wins", align: "right" },
    ],
    shown.map((line) => [
      line.name,
      line.runs === 0 ? "–" : line.bestLoss.toPrecision(4),
      ...costs(line, reference),
    ]),
  );
  const lines = [
    `${comparison.title}, ${seeds.report.length} ${seeds.report.length === 1 ? "seed" : "seeds"}`,
    "",
    ...table,
    "",
    ...wrapped(
      `loss: best on validation, median. To target: cost until the best loss of "${reference}" on the same seed, as a ratio to its cost; median (95 % interval); ∞: not reached. wins: seeds with fewer FLOPs.`,
      "",
    ),
    ...(first === undefined
      ? []
      : wrapped(
          `First phase (sunk, counted for no arm): loss ${first.bestLoss.toPrecision(4)}, ${short(first.flops)} FLOPs, ${clock(first.seconds)}.`,
          "",
        )),
    "",
    ...findings
      .filter(({ losses }) => losses.length > 0)
      .flatMap(({ name, losses }) => wrapped(`Where "${name}" loses: ${losses.join("; ")}.`, "")),
    ...tuned
      .filter(({ atEdge }) => atEdge)
      .flatMap(({ arm }) => wrapped(`The rate chosen for "${arm}" is at the edge of its grid.`, "")),
    ...groupFailures(failures).flatMap(({ arm, stage, seeds, reason }) =>
      wrapped(`Failed: ${arm} (${stage}, seeds ${seeds.join(", ")}): ${reason}`, ""),
    ),
    "",
    `${out}/report.html  ${out}/results.json`,
  ];
  return `${lines.join("\n")}\n`;
}

function costs({ name, against, toBest }: LineSummary, reference: string): readonly string[] {
  if (name === reference) return [`1 = ${short(toBest.flops)}`, `1 = ${toBest.seconds.toPrecision(3)} s`, ""];
  if (against === undefined) return ["", "", ""];
  const { flops: inFlops, seconds: inSeconds } = against.toTarget[0] as Against["toTarget"][number];
  const { winsInFlops, pairs } = against;
  return [
    cell(inFlops),
    cell(inSeconds),
    pairs === 0 ? "–" : `${Math.round(winsInFlops.value * pairs)}/${pairs}`,
  ];
}

const cell = ({ value, low, high }: Estimate) =>
  Number.isNaN(value) ? "–" : `${shortRatio(value)} (${shortRatio(low)}–${shortRatio(high)})`;
