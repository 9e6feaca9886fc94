import { area, curveStepAfter, line } from "d3-shape";
import type { Axis } from "./axis.ts";
import { marker } from "./marker.ts";
import { type Markup, markup } from "./markup.ts";
import { placeRules, type Rule, type RulePlace } from "./rules.ts";

export interface ChartPoint {
  readonly x: number;
  /** NaN leaves a gap. */
  readonly y: number;
}

/** One line of a chart. */
export interface Series {
  /** Index of its arm: color and marker. */
  readonly arm: number;
  /** "strong" for what counts, "faint" for what accompanies it, "dotted" for a second line of equal weight. */
  readonly look: "strong" | "faint" | "dotted";
  readonly points: readonly ChartPoint[];
  /** Draw as a staircase: each value lasts until the next. Default false. */
  readonly step?: boolean;
  /** Label after the last point. */
  readonly endLabel?: string;
}

/** An area between two values at each point, drawn under the lines: the middle half of the runs. */
export interface Band {
  readonly arm: number;
  readonly points: readonly { readonly x: number; readonly low: number; readonly high: number }[];
}

export interface Chart {
  /** Unique in the document: a letter, then letters, digits and hyphens. */
  readonly id: string;
  /** What the chart shows, for readers who cannot see it. */
  readonly title: string;
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly bands?: readonly Band[];
  readonly rules?: readonly Rule[];
  /** Pixels. Default 560 × 300. */
  readonly width?: number;
  readonly height?: number;
}

/** Draws a chart as one SVG element. Colors and fonts come from the style sheet of the page. */
export function drawChart(chart: Chart): Markup {
  const { id, x, y, series, width = 560, height = 300 } = chart;
  const endLabels = series.map(({ endLabel = "" }) => endLabel);
  const left = 14 + 6.6 * Math.max(1, ...y.ticks.map(({ label }) => label.length));
  // At least half of the last tick's label, which is centered under the end of the axis.
  const right = Math.max(22, 12 + 7.2 * Math.max(...endLabels.map((label) => label.length), 0));
  const across = (value: number) => left + x.place(value) * (width - left - right);
  const { rows, places } = placeRules(chart.rules ?? [], across, [left, width - 6]);
  const top = 30 + 14 * rows;
  const bottom = height - 40;
  const up = (value: number) => bottom - y.place(value) * (bottom - top);
  const inside = (point: ChartPoint) => Number.isFinite(across(point.x)) && Number.isFinite(up(point.y));
  const shade = area<Band["points"][number]>(
    (point) => across(point.x),
    (point) => up(point.low),
    (point) => up(point.high),
  )
    .defined(({ x, low, high }) => [across(x), up(low), up(high)].every(Number.isFinite))
    .digits(1);
  // The first arm is drawn last, on top.
  const layers = [...series].reverse();
  return markup`<svg role="img" aria-labelledby="${id}-title ${id}-desc" viewBox="0 0 ${width} ${height}" class="chart">
<title id="${id}-title">${chart.title}</title>
<desc id="${id}-desc">${chart.description}</desc>
<g class="grid">${y.ticks.map((tick) => markup`<path d="M${at(left)},${at(up(tick.value))}H${at(width - right)}"/>`)}</g>
<g class="ticks" text-anchor="end">${y.ticks.map(
    (tick) => markup`<text x="${at(left - 8)}" y="${at(up(tick.value) + 4)}">${tick.label}</text>`,
  )}</g>
<g class="ticks" text-anchor="middle">${spread(x.ticks, across, left, width - right).map(
    (tick) =>
      markup`<path d="M${at(across(tick.value))},${at(bottom)}v4"/><text x="${at(across(tick.value))}" y="${at(bottom + 18)}">${tick.label}</text>`,
  )}</g>
<path class="base" d="M${at(left)},${at(bottom)}H${at(width - right)}"/>
<text class="axis-label" x="0" y="12">${y.label}</text>
<text class="axis-label" x="${at(width - right)}" y="${height - 4}" text-anchor="end">${x.label}</text>
${[...(chart.bands ?? [])].reverse().map(({ arm, points }) => {
  const d = shade(points as Band["points"][number][]);
  return d !== null && markup`<path class="band arm-${arm % 7}" d="${d}"/>`;
})}
${places.map((place) => drawRule(place, top, bottom))}
${layers.map(({ arm, look, points, step = false }) => {
  const path = line<ChartPoint>(
    (point) => across(point.x),
    (point) => up(point.y),
  )
    .defined(inside)
    .digits(1);
  if (step) path.curve(curveStepAfter);
  const d = path(points as ChartPoint[]);
  return d !== null && markup`<path class="line ${look} arm-${arm % 7}" d="${d}"/>`;
})}
${layers.map(({ arm, look, points }) => {
  const last = points.filter(inside).at(-1);
  return last && look === "strong" && marker(arm, across(last.x), up(last.y));
})}
${labelEnds(series, inside, up).map(
  ({ label, arm, y }) =>
    markup`<text class="end-label arm-${arm % 7}" x="${at(width - right + 8)}" y="${at(y + 4)}">${label}</text>`,
)}
</svg>`;
}

/** A coordinate with one digit after the point. */
const at = (value: number): string => String(Math.round(value * 10) / 10);

function drawRule({ rule, x, labelX, label, y }: RulePlace, top: number, bottom: number): Markup {
  return markup`<g class="rule arm-${rule.arm % 7}"><title>${rule.title}</title><path d="M${at(x)},${at(label === "" ? top : y + 3)}V${at(bottom)}"/>${
    label !== "" && markup`<text x="${at(labelX + 4)}" y="${at(y)}">${label}</text>`
  }</g>`;
}

/** Leaves out ticks whose labels would touch each other. */
function spread(
  ticks: Axis["ticks"],
  across: (value: number) => number,
  left: number,
  right: number,
): Axis["ticks"] {
  let free = Number.NEGATIVE_INFINITY;
  return ticks.filter(({ value, label }) => {
    const x = across(value);
    const half = label.length * 3.3;
    if (x < left - 1 || x > right + 1 || x - half < free) return false;
    free = x + half + 6;
    return true;
  });
}

/** Labels next to the last points, moved apart so that each can be read. */
function labelEnds(
  series: readonly Series[],
  inside: (point: ChartPoint) => boolean,
  up: (value: number) => number,
): readonly { readonly label: string; readonly arm: number; readonly y: number }[] {
  const labels = series
    .flatMap(({ endLabel, arm, points }) => {
      const last = points.filter(inside).at(-1);
      return endLabel && last ? [{ label: endLabel, arm, y: up(last.y) }] : [];
    })
    .sort((a, b) => b.y - a.y);
  let free = Number.POSITIVE_INFINITY;
  return labels.map((label) => {
    const y = Math.min(label.y, free);
    free = y - 14;
    return { ...label, y };
  });
}
