import { logAxis } from "../../report/drawing/axis.ts";
import {
  count,
  duration,
  flops,
  metricValue,
  percent,
  significant,
  whole,
} from "../../report/drawing/figures.ts";
import { drawIntervals, type IntervalRow } from "../../report/drawing/interval-plot.ts";
import { badge } from "../../report/drawing/marker.ts";
import { type Markup, markup } from "../../report/drawing/markup.ts";
import type { Against, LineSummary } from "../analyze.ts";
import { ratioText, shortRatio, verdictOf } from "../findings.ts";
import type { ComparisonResults } from "../results.ts";
import type { Estimate } from "../statistics/bootstrap.ts";
import { costTo } from "../statistics/curve.ts";
import { lineIndex } from "./curves.ts";

const asked = {
  "known size": "The target size is known. Train it from scratch, or grow to it?",
  "too small":
    "A small network has been trained and is not good enough. Start over, or grow it and continue?",
  "unknown size": "The size is unknown. Sweep over sizes, or grow one network until it stops?",
  free: "Arms of one's own.",
} as const;

/** The outcome of the comparison: in words, as ratios, and in a table. */
export function verdict(ledger: ComparisonResults): Markup {
  const { comparison, findings, first } = ledger;
  const losing = findings.filter(({ losses }) => losses.length > 0);
  return markup`<section aria-labelledby="verdict">
<h2 id="verdict">Results</h2>
<div class="prose">
<p>${asked[comparison.question]} Training, scoring and growing are all charged; ${whole(comparison.seeds.report.length)} seeds, paired.</p>
${findings.map(({ text }) => markup`<p>${text}</p>`)}
${
  first !== undefined &&
  markup`<p>The cost of the first phase is sunk and is charged to no arm. It reached a validation loss of ${significant(first.bestLoss)} for ${flops(first.flops)} and ${duration(first.seconds)} (medians).</p>`
}
</div>
${ratios(ledger, "flops", "FLOPs")}
${ratios(ledger, "seconds", "seconds")}
${tables(ledger)}
<h3>Where it loses</h3>
${
  losing.length === 0
    ? markup`<p class="note">Not in these runs.</p>`
    : markup`<ul class="troubles">${losing.map(({ name, losses }) => markup`<li><b class="name">${name}</b>: ${losses.join("; ")}.</li>`)}</ul>`
}
</section>`;
}

/** The cost to the target as a multiple of the reference's, seed by seed. */
function ratios(ledger: ComparisonResults, unit: "flops" | "seconds", name: string): Markup | false {
  const { summaries, lines, comparison } = ledger;
  const base = lines.find((line) => line.name === comparison.reference);
  const rows = summaries.flatMap((summary): readonly IntervalRow[] => {
    const estimate = summary.against?.toTarget[0]?.[unit];
    const line = lines.find((other) => other.name === summary.name);
    if (estimate === undefined || line === undefined || base === undefined) return [];
    const values = line.runs.flatMap((run) => {
      const other = base.runs.find(({ seed }) => seed === run.seed);
      return other === undefined ? [] : [costTo(run.curve, other.best.loss)[unit] / other.best[unit]];
    });
    const { value, low, high } = estimate;
    const arm = lineIndex(lines, line);
    return [{ arm, name: line.name, values, middle: value, low, high, label: ratioText(estimate) }];
  });
  if (rows.length === 0) return false;
  const finite = rows
    .flatMap(({ values, middle, low, high }) => [...values, middle, low, high])
    .filter(Number.isFinite);
  return markup`<figure><figcaption>${name} to the best loss of ${comparison.reference}<small>each dot a seed; median and 95 % interval; less than 1 is cheaper</small></figcaption>
<div class="scroll">${drawIntervals({
    id: `ratio-${unit}`,
    title: `${name} to the target as a ratio to those of ${comparison.reference}`,
    description: rows.map((row) => `${row.name}: ${row.label}.`).join(" "),
    x: logAxis([0.5, 2, ...finite], { label: `ratio of ${name} (logarithmic)` }),
    rule: 1,
    rows,
  })}</div></figure>`;
}

/** The results of each arm, first on its own, then against the reference. */
function tables({ summaries, lines }: ComparisonResults): Markup {
  const tested = [...new Set(summaries.flatMap(({ test }) => Object.keys(test ?? {})))];
  const compared = summaries.filter(({ against }) => against !== undefined);
  const name = (line: LineSummary) =>
    markup`<th scope="row" class="text">${badge(lineIndex(lines, line))} ${line.name}</th>`;
  return markup`<div class="scroll"><table>
<thead><tr><th class="text" scope="col">arm, medians</th><th scope="col">runs</th><th scope="col" title="best on validation">best loss</th><th scope="col" title="geometric mean of the last validation losses">final loss (geo. mean)</th>${tested.map(
    (figure) =>
      markup`<th scope="col" title="of the weights with the best validation loss">test ${figure}</th>`,
  )}<th scope="col">parameters</th><th scope="col" title="until the best loss">FLOPs to best</th><th scope="col">seconds to best</th></tr></thead>
<tbody>${summaries.map(
    (line) =>
      markup`<tr>${name(line)}<td>${line.runs}</td><td>${significant(line.bestLoss)}</td><td>${significant(line.geometricMeanFinalLoss)}</td>${tested.map(
        (figure) => markup`<td>${metricValue(figure, line.test?.[figure])}</td>`,
      )}<td>${count(line.parameters)}</td><td>${flops(line.toBest.flops)}</td><td>${duration(line.toBest.seconds)}</td></tr>`,
  )}</tbody></table></div>
<div class="scroll"><table>
<thead><tr><th class="text" scope="col">as a ratio to the reference</th><th scope="col">FLOPs to target</th><th scope="col">seconds to target</th><th scope="col">reached it</th><th scope="col" title="for the FLOPs of the reference's best loss, as a ratio to that loss">loss at equal FLOPs</th><th scope="col" title="seeds that took fewer FLOPs to the target">wins in FLOPs</th><th scope="col">wins in seconds</th></tr></thead>
<tbody>${compared.map(
    (line) =>
      line.against !== undefined &&
      markup`<tr>${name(line)}${ratioCell(line.against.toTarget[0]?.flops)}${ratioCell(line.against.toTarget[0]?.seconds)}<td>${line.against.toTarget[0]?.reached}/${line.against.pairs}</td>${ratioCell(line.against.lossAtEqualFlops)}<td>${wins(line.against.winsInFlops, line.against)}</td><td>${wins(line.against.winsInSeconds, line.against)}</td></tr>`,
  )}</tbody></table></div>
${slackTable(summaries)}`;
}

const verdictClass = { saves: "good", loses: "bad", undecided: "" } as const;

function ratioCell(ratio: Estimate | undefined): Markup {
  if (ratio === undefined) return markup`<td></td>`;
  return markup`<td class="${verdictClass[verdictOf(ratio)]}">${ratioText(ratio)}</td>`;
}

/** "14/20 (46 % to 88 %)" */
function wins({ value, low, high }: Estimate, { pairs }: Against): string {
  const share = (part: number) => `${Math.round(100 * part)} %`;
  return `${Math.round(value * pairs)}/${pairs} (${share(low)} to ${share(high)})`;
}

/** The same with easier targets, and with one target for all seeds. */
function slackTable(summaries: readonly LineSummary[]): Markup | false {
  const compared = summaries.filter(({ against }) => against !== undefined);
  const [first] = compared;
  if (first?.against === undefined) return false;
  const cell = ({ flops, reached }: { readonly flops: Estimate; readonly reached: number }, pairs: number) =>
    markup`<td class="${verdictClass[verdictOf(flops)]}">${shortRatio(flops.value)} (${shortRatio(flops.low)} to ${shortRatio(flops.high)}), ${reached}/${pairs}</td>`;
  return markup`<details><summary>FLOPs to other targets, and how many seeds came to them</summary><div class="scroll"><table>
<thead><tr><th class="text" scope="col">arm</th>${first.against.toTarget.map(({ slack }) => markup`<th scope="col">${slack === 0 ? "the best loss" : `within ${percent(slack)}`}</th>`)}<th scope="col">the median of the best losses</th></tr></thead>
<tbody>${compared.map(
    ({ name, against }) =>
      against !== undefined &&
      markup`<tr><th scope="row" class="text">${name}</th>${against.toTarget.map((target) => cell(target, against.pairs))}${cell(against.toMedianTarget, against.pairs)}</tr>`,
  )}</tbody></table></div></details>`;
}
