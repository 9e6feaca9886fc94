import type { GrowthRecord } from "../../training/history/record.ts";
import { type Axis, linearAxis, logAxis, spansDecades } from "../drawing/axis.ts";
import { drawChart, type Series } from "../drawing/chart.ts";
import { flops, isFraction, metricValue, percent, plural, significant, whole } from "../drawing/figures.ts";
import { type Horizontal, horizontals, valueAt } from "../drawing/horizontal.ts";
import { badge } from "../drawing/marker.ts";
import { type Markup, markup } from "../drawing/markup.ts";
import type { Rule } from "../drawing/rules.ts";
import { sample, thin } from "../drawing/thin.ts";
import type { RunArm, RunPoint, RunRecord } from "../record/run-record.ts";

/** Loss and metric against steps, FLOPs and seconds; radio buttons switch between them without a script. */
export function curves(run: RunRecord): Markup {
  const panels = [lossPanel(run), ...(run.metric === undefined ? [] : [metricPanel(run, run.metric)])];
  return markup`<section class="curves" aria-labelledby="curves">
<h2 id="curves">Learning curves</h2>
${horizontals.map(
  ({ id }, index) =>
    markup`<input class="switch-input" type="radio" name="horizontal" id="x-${id}" ${index === 0 && markup`checked="checked"`}/>`,
)}
<div class="bar">
<ul class="legend">${run.arms.map((arm, index) => markup`<li>${badge(index)}<span class="name">${arm.name}</span></li>`)}${
    panels[0]?.tested &&
    markup`<li><svg class="badge" viewBox="0 0 28 14" aria-hidden="true"><path class="line faint" d="M1,7H27"/></svg>training loss</li>`
  }${
    run.arms.some(({ growths }) => growths.length > 0) &&
    markup`<li><svg class="badge narrow" viewBox="0 0 10 14" aria-hidden="true"><g class="rule"><path d="M5,0V14"/></g></svg>growth</li>`
  }</ul>
<div class="switch"><span>against</span>${horizontals.map(({ id, name }) => markup`<label for="x-${id}">${name}</label>`)}</div>
</div>
${horizontals.map(
  (horizontal) =>
    markup`<div class="panels on-${horizontal.id} ${panels.length === 1 && "single"}">${panels.map((panel) =>
      draw(panel, run, horizontal, panels.length === 1 ? 1080 : 560),
    )}</div>`,
)}
${run.arms.map((arm) => numbers(arm, run.metric))}
</section>`;
}

interface Curve {
  readonly arm: number;
  readonly look: "strong" | "faint";
  readonly points: readonly RunPoint[];
  readonly value: (point: RunPoint) => number;
}

interface Panel {
  readonly id: string;
  readonly name: string;
  readonly tested: boolean;
  readonly axis: Axis;
  readonly curves: readonly Curve[];
  readonly print: (value: number) => string;
}

function lossPanel(run: RunRecord): Panel {
  const tested = run.arms.some(({ points }) => points.some(({ test }) => test !== undefined));
  const curves = run.arms.flatMap(({ points }, arm): Curve[] => {
    const evaluated = points.filter(({ test }) => test !== undefined);
    return [
      { arm, look: tested ? "faint" : "strong", points, value: ({ trainLoss }) => trainLoss },
      { arm, look: "strong", points: evaluated, value: ({ test }) => test?.loss ?? Number.NaN },
    ];
  });
  const values = allValues(curves);
  const name = tested ? "test loss" : "training loss";
  const logarithmic = spansDecades(values);
  return {
    id: "loss",
    name: "Loss",
    tested,
    axis: logarithmic
      ? logAxis(values, { label: `${name} (logarithmic)` })
      : linearAxis(nearZero(values), { label: name }),
    curves,
    print: significant,
  };
}

function metricPanel(run: RunRecord, metric: string): Panel {
  const curves = run.arms.map(
    ({ points }, arm): Curve => ({
      arm,
      look: "strong",
      points: points.filter(({ test }) => test?.[metric] !== undefined),
      value: ({ test }) => test?.[metric] ?? Number.NaN,
    }),
  );
  const values = allValues(curves);
  const fraction = isFraction(metric) && values.every((value) => !(value < 0 || value > 1));
  return {
    id: "metric",
    name: metric.charAt(0).toUpperCase() + metric.slice(1),
    tested: true,
    axis: linearAxis(values, {
      label: fraction ? `test ${metric} (%)` : `test ${metric}`,
      ...(fraction ? { unit: 0.01, limits: [0, 1] as const } : {}),
    }),
    curves,
    print: (value) => (fraction ? percent(value) : metricValue(metric, value)),
  };
}

const allValues = (curves: readonly Curve[]) => curves.flatMap(({ points, value }) => points.map(value));

/** A loss axis begins at zero if that costs little of its height. */
function nearZero(values: readonly number[]): readonly number[] {
  const finite = values.filter(Number.isFinite);
  const least = finite.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  const most = finite.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);
  return least >= 0 && least < most / 2 ? [0, ...finite] : finite;
}

function draw(panel: Panel, run: RunRecord, horizontal: Horizontal, width: number): Markup {
  const id = `${panel.id}-${horizontal.id}`;
  const measured = panel.curves.some(({ points, value }) =>
    points.some((point) => Number.isFinite(value(point))),
  );
  if (!measured)
    return markup`<figure><figcaption>${panel.name}</figcaption><p class="empty">Not measured in this run.</p></figure>`;
  const series = panel.curves.map(
    ({ arm, look, points, value }): Series => ({
      arm,
      look,
      points: thin(points, value).map((point) => ({ x: horizontal.value(point), y: value(point) })),
    }),
  );
  const x = horizontal.axis(run.arms.flatMap(({ points }) => points.map(horizontal.value)));
  const told = panel.curves
    .filter(({ look }) => look === "strong")
    .flatMap(({ arm, points, value }) => {
      const seen = points.map(value).filter(Number.isFinite);
      return seen.length === 0
        ? []
        : [
            `${run.arms[arm]?.name}: from ${panel.print(seen[0] as number)} to ${panel.print(seen.at(-1) as number)}.`,
          ];
    });
  return markup`<figure><figcaption>${panel.name}</figcaption><div class="scroll">${drawChart({
    id,
    title: `${panel.name} against ${horizontal.name}`,
    description: told.join(" "),
    x,
    y: panel.axis,
    series,
    rules: run.arms.flatMap((arm, index) => growthRules(arm, index, horizontal)),
    width,
  })}</div></figure>`;
}

/** One rule per step at which an arm grew. */
export function growthRules(arm: RunArm, index: number, horizontal: Horizontal): readonly Rule[] {
  const bySteps = new Map<number, { readonly growth: GrowthRecord; readonly number: number }[]>();
  arm.growths.forEach((growth, order) => {
    const group = bySteps.get(growth.step) ?? [];
    group.push({ growth, number: order + 1 });
    bySteps.set(growth.step, group);
  });
  return [...bySteps].map(([step, group]) => {
    const sizes = group.map(({ growth: { size } }) => `${whole(size.before)}→${whole(size.after)}`);
    const full = group.map(({ growth }, order) => `${clip(growth.width)} ${sizes[order]}`);
    return {
      arm: index,
      x: valueAt(arm, step, horizontal),
      title: `${arm.name}, step ${whole(step)}: ${full.join(", ")}`,
      labels: [
        full.join(", "),
        sizes.join(", "),
        ...(group.length > 1 ? [plural(group.length, "width")] : []),
        `${group[0]?.number}`,
      ],
    };
  });
}

const clip = (name: string) => (name.length > 20 ? `${name.slice(0, 19)}…` : name);

/** The points of an arm as a table, for readers who cannot see the curves. */
function numbers(arm: RunArm, metric: string | undefined): Markup {
  const rows = sample(arm.points, 100);
  const part =
    rows.length < arm.points.length ? `, ${rows.length} of ${plural(arm.points.length, "point")}` : "";
  return markup`<details><summary>The numbers of <span class="name">${arm.name}</span>${part}</summary><div class="scroll"><table>
<thead><tr><th scope="col">step</th><th scope="col">compute</th><th scope="col">seconds</th><th scope="col">training loss</th><th scope="col">test loss</th>${
    metric !== undefined && markup`<th scope="col">test ${metric}</th>`
  }<th scope="col" class="text">units</th></tr></thead>
<tbody>${rows.map(
    (point) =>
      markup`<tr><th scope="row">${whole(point.step)}</th><td>${flops(point.flops)}</td><td>${significant(point.seconds, 3)}</td><td>${significant(point.trainLoss)}</td><td>${significant(point.test?.loss)}</td>${
        metric !== undefined && markup`<td>${metricValue(metric, point.test?.[metric])}</td>`
      }<td class="text">${Object.entries(point.widths)
        .map(([width, units]) => `${width} ${whole(units)}`)
        .join(", ")}</td></tr>`,
  )}</tbody></table></div></details>`;
}
