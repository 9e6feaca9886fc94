import { linearAxis } from "../drawing/axis.ts";
import { type ChartPoint, drawChart, type Series } from "../drawing/chart.ts";
import { plural, whole } from "../drawing/figures.ts";
import { stepAxis } from "../drawing/horizontal.ts";
import { badge } from "../drawing/marker.ts";
import { type Markup, markup } from "../drawing/markup.ts";
import { thin } from "../drawing/thin.ts";
import type { RunArm, RunRecord } from "../record/run-record.ts";

/** More lines than this cannot be told apart; those that grew most are shown. */
const mostLines = 8;

/** The units of every width over the steps: one staircase chart per arm, on common axes. */
export function widths(run: RunRecord): Markup {
  const all = run.arms.map(staircases);
  const y = linearAxis(
    [0, ...all.flatMap((arm) => [...arm.values()].flatMap((points) => points.map((p) => p.y)))],
    {
      label: "units",
      whole: true,
    },
  );
  const x = stepAxis(run.arms.flatMap(({ points }) => points.map(({ step }) => step)));
  return markup`<section aria-labelledby="widths">
<h2 id="widths">Widths over time</h2>
<div class="panels">${run.arms.map((arm, index) => {
    const lines = [...(all[index] ?? [])].sort(([, a], [, b]) => gain(b) - gain(a));
    const caption = markup`<figcaption>${badge(index)}<span class="name">${arm.name}</span>${
      lines.length > mostLines && markup` <small>${mostLines} of ${plural(lines.length, "width")}</small>`
    }</figcaption>`;
    if (lines.length === 0)
      return markup`<figure>${caption}<p class="empty">No width of this arm can grow.</p></figure>`;
    const shown = lines.slice(0, mostLines);
    return markup`<figure>${caption}<div class="scroll">${drawChart({
      id: `widths-${index}`,
      title: `Units of the widths of ${arm.name} over the steps`,
      description: shown.map(([width, points]) => `${width}: ${stairs(points)}.`).join(" "),
      x,
      y,
      series: shown.map(
        ([width, points]): Series => ({
          arm: index,
          look: "strong",
          step: true,
          points: thin(points, (point) => point.y),
          endLabel: `${width.length > 14 ? `${width.slice(0, 13)}…` : width} ${whole(points.at(-1)?.y)}`,
        }),
      ),
      width: run.arms.length === 1 ? 1080 : 560,
      height: 240,
    })}</div></figure>`;
  })}</div>
</section>`;
}

const gain = (points: readonly ChartPoint[]) => (points.at(-1)?.y ?? 0) - (points[0]?.y ?? 0);

function stairs(points: readonly ChartPoint[]): string {
  const sizes = points.map(({ y }) => y).filter((size, index, list) => size !== list[index - 1]);
  return sizes.length <= 6
    ? sizes.join(" to ")
    : `${sizes[0]} to ${sizes.at(-1)} in ${sizes.length - 1} growths`;
}

/** The sizes of each width: from the points, and at each growth, exactly, from the growths. */
function staircases(arm: RunArm): ReadonlyMap<string, readonly ChartPoint[]> {
  const lines = new Map<string, ChartPoint[]>();
  const add = (width: string, step: number, units: number) => {
    const line = lines.get(width) ?? [];
    line.push({ x: step, y: units });
    lines.set(width, line);
  };
  const grown = new Set(arm.growths.map(({ width, step }) => `${step} ${width}`));
  for (const { step, widths } of arm.points) {
    // A point at the step of a growth may have been taken before or after it.
    for (const [width, units] of Object.entries(widths))
      if (!grown.has(`${step} ${width}`)) add(width, step, units);
  }
  for (const { width, step, size } of arm.growths) {
    if (!lines.has(width)) add(width, step, size.before);
    add(width, step, size.after);
  }
  const end = arm.points.at(-1)?.step ?? 0;
  for (const line of lines.values()) {
    line.sort((a, b) => a.x - b.x);
    const last = line.at(-1);
    if (last !== undefined && last.x < end) line.push({ x: end, y: last.y });
  }
  return lines;
}
