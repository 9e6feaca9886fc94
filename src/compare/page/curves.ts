import { type Axis, linearAxis, logAxis } from "../../report/drawing/axis.ts";
import { drawChart } from "../../report/drawing/chart.ts";
import { significant } from "../../report/drawing/figures.ts";
import { type Horizontal, horizontals } from "../../report/drawing/horizontal.ts";
import { badge } from "../../report/drawing/marker.ts";
import { type Markup, markup } from "../../report/drawing/markup.ts";
import type { ComparisonResults } from "../results.ts";
import type { Line } from "../runs.ts";
import { type BandPoint, bandOf } from "./bands.ts";

/** Best validation loss so far against FLOPs, seconds and steps: medians with the middle half of the runs. */
export function curves({ lines }: ComparisonResults): Markup {
  const shown = lines.filter(({ kind, runs }) => kind !== "sweep" && runs.length > 0);
  const axes = ["flops", "seconds", "steps"].flatMap((id) => horizontals.find((one) => one.id === id) ?? []);
  const swept = lines.some(({ kind }) => kind === "sweep");
  return markup`<section class="curves" aria-labelledby="curves">
<h2 id="curves">Learning curves</h2>
${axes.map(
  ({ id }, index) =>
    markup`<input class="switch-input" type="radio" name="horizontal" id="x-${id}" ${index === 0 && markup`checked="checked"`}/>`,
)}
<div class="bar">
<ul class="legend">${shown.map((line) => markup`<li>${badge(lineIndex(lines, line))}<span class="name">${line.name}</span></li>`)}</ul>
<div class="switch"><span>against</span>${axes.map(({ id, name }) => markup`<label for="x-${id}">${name}</label>`)}</div>
</div>
${axes.map((axis) => markup`<div class="panels single on-${axis.id}">${draw(lines, shown, axis)}</div>`)}
<p class="note">The best validation loss so far, median over the seeds, with the middle half of them shaded. Each line ends where the median run ended.${
    swept && " The members of the sweep are drawn one by one; the sweep costs the sum of their costs."
  }</p>
</section>`;
}

/** The color and marker of a line, the same throughout the page. */
export function lineIndex(lines: readonly Line[], line: { readonly name: string }): number {
  return lines.findIndex(({ name }) => name === line.name);
}

function draw(lines: readonly Line[], shown: readonly Line[], horizontal: Horizontal): Markup {
  const drawn = shown.map((line) => ({
    line,
    arm: lineIndex(lines, line),
    band: bandOf(line.runs, horizontal.value),
  }));
  const points = drawn.flatMap(({ band }) => band);
  const series = drawn.map(({ arm, band, line }) => ({
    arm,
    look: line.kind === "member of a sweep" ? ("faint" as const) : ("strong" as const),
    points: band.map(({ x, middle }) => ({ x, y: middle })),
  }));
  const told = drawn.map(
    ({ line, band }) =>
      `${line.name}: ${significant(band[0]?.middle)} to ${significant(band.at(-1)?.middle)}.`,
  );
  return markup`<figure><div class="scroll">${drawChart({
    id: `loss-${horizontal.id}`,
    title: `Validation loss against ${horizontal.name}`,
    description: told.join(" "),
    x: horizontal.axis(points.map(({ x }) => x)),
    y: lossAxis(points),
    series,
    bands: drawn.map(({ arm, band }) => ({ arm, points: band })),
    width: 1080,
    height: 420,
  })}</div></figure>`;
}

/** Logarithmic, so that ratios can be compared; linear if some loss is not positive. */
function lossAxis(points: readonly BandPoint[]): Axis {
  const values = points.flatMap(({ low, middle, high }) => [low, middle, high]).filter(Number.isFinite);
  return values.every((value) => value > 0)
    ? logAxis(values, { label: "best validation loss so far (logarithmic)" })
    : linearAxis(values, { label: "best validation loss so far" });
}
