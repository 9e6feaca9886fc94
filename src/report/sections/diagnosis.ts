import type { WidthDiagnosis } from "../../growth/examine/diagnose.ts";
import { linearAxis } from "../drawing/axis.ts";
import { type ChartPoint, drawChart } from "../drawing/chart.ts";
import { plural, significant, whole } from "../drawing/figures.ts";
import { stepAxis } from "../drawing/horizontal.ts";
import { badge } from "../drawing/marker.ts";
import { type Markup, markup } from "../drawing/markup.ts";
import { thin } from "../drawing/thin.ts";
import type { RunArm, RunDiagnosis, RunRecord } from "../record/run-record.ts";
import { tally } from "./growths.ts";

/** The health of every width: the last count, and how alike its most alike pair was over the steps. */
export function diagnosis(run: RunRecord): Markup {
  return markup`<section aria-labelledby="diagnosis">
<h2 id="diagnosis">Diagnosis</h2>
<p class="note">A <em>dead</em> unit has no gradient or no activation on a whole batch; <em>identical</em> units have equal incoming weights; <em>collapsing</em> units are on the way there. The charts show the cosine similarity of the two most alike units of a layer: 1 means that they are one.</p>
${run.arms.map((arm, index) => armDiagnosis(run, arm, index))}
</section>`;
}

function armDiagnosis(run: RunRecord, arm: RunArm, index: number): Markup {
  const last = arm.diagnoses.at(-1);
  const heading = markup`<h3>${badge(index)}<span class="name">${arm.name}</span></h3>`;
  if (last === undefined || last.widths.length === 0)
    return markup`${heading}<p class="empty">Not diagnosed.</p>`;
  return markup`${heading}
<div class="layers">${last.widths.map((width, order) => layer(run, arm, index, width, order))}</div>
<div class="scroll"><table><thead><tr><th scope="col" class="text">layer at step ${whole(last.step)}</th><th scope="col">units</th><th scope="col">dead</th><th scope="col">identical groups</th><th scope="col">collapsing pairs</th><th scope="col" class="text">most alike</th><th scope="col">weights</th><th scope="col">activations</th></tr></thead>
<tbody>${last.widths.map(
    ({ width, units, dead, identical, collapsing, mostAlike }) =>
      markup`<tr><th scope="row" class="text name">${width}</th><td>${whole(units)}</td><td>${tally(dead.length)}</td><td>${tally(identical.length)}</td><td>${tally(collapsing.length)}</td><td class="text">${
        mostAlike === undefined ? "–" : `units ${mostAlike.units[0]} and ${mostAlike.units[1]}`
      }</td><td>${significant(mostAlike?.weights, 3)}</td><td>${significant(mostAlike?.activations, 3)}</td></tr>`,
  )}</tbody></table></div>
${troubles(last)}`;
}

/** The numbers of the units in trouble. */
function troubles({ widths }: RunDiagnosis): Markup {
  const lines = widths.flatMap(({ width, dead, identical, collapsing }) => {
    const parts = [
      ...(dead.length > 0 ? [`dead ${few(dead.map(({ unit, reason }) => `${unit} (${reason})`))}`] : []),
      ...(identical.length > 0
        ? [`identical ${few(identical.map((group) => `{${few(group.map(String))}}`))}`]
        : []),
      ...(collapsing.length > 0
        ? [`collapsing ${few(collapsing.map(({ units }) => units.join(" and ")))}`]
        : []),
    ];
    return parts.length === 0 ? [] : [{ width, text: parts.join("; ") }];
  });
  if (lines.length === 0)
    return markup`<p class="note"><span class="good">No unit is dead, identical to another or collapsing.</span></p>`;
  return markup`<ul class="troubles">${lines.map(({ width, text }) => markup`<li><b class="name">${width}</b>: ${text}</li>`)}</ul>`;
}

const few = (items: readonly string[]) =>
  items.length <= 12 ? items.join(", ") : `${items.slice(0, 12).join(", ")} and ${items.length - 12} more`;

function layer(run: RunRecord, arm: RunArm, index: number, now: WidthDiagnosis, order: number): Markup {
  const seen = arm.diagnoses.flatMap(({ step, widths }) => {
    const mostAlike = widths.find(({ width }) => width === now.width)?.mostAlike;
    return mostAlike === undefined ? [] : [{ step, mostAlike }];
  });
  const line = (pick: (entry: (typeof seen)[number]) => number): readonly ChartPoint[] =>
    thin(seen, pick).map((entry) => ({ x: entry.step, y: pick(entry) }));
  const weights = line(({ mostAlike }) => mostAlike.weights);
  const activations = line(({ mostAlike }) => mostAlike.activations);
  const values = [...weights, ...activations].map(({ y }) => y);
  const counts = [
    ...(now.dead.length > 0 ? [`${whole(now.dead.length)} dead`] : []),
    ...(now.identical.length > 0 ? [`${plural(now.identical.length, "identical group")}`] : []),
    ...(now.collapsing.length > 0 ? [`${plural(now.collapsing.length, "collapsing pair")}`] : []),
  ];
  const state =
    counts.length === 0
      ? markup`<span class="good">healthy</span>`
      : markup`<strong class="bad">${counts.join(", ")}</strong>`;
  const caption = markup`<figcaption><span class="name">${now.width}</span> <small>${plural(now.units, "unit")}</small> ${state}</figcaption>`;
  if (!values.some(Number.isFinite))
    return markup`<figure>${caption}<p class="empty">No pair of live units to compare.</p></figure>`;
  return markup`<figure>${caption}${drawChart({
    id: `alike-${index}-${order}`,
    title: `Similarity of the most alike units of ${now.width} in ${arm.name} over the steps`,
    description: `Weights: ${significant(weights.at(-1)?.y, 3)} at the end. Activations: ${significant(activations.at(-1)?.y, 3)} at the end.`,
    x: stepAxis(
      run.arms.flatMap(({ points, diagnoses }) => [...points, ...diagnoses].map(({ step }) => step)),
    ),
    y: linearAxis([0, 1, ...values], { label: "cosine similarity", limits: [-1, 1], ticks: 3 }),
    series: [
      { arm: index, look: "strong", points: weights, endLabel: "weights" },
      { arm: index, look: "dotted", points: activations, endLabel: "activations" },
    ],
    width: 340,
    height: 190,
  })}</figure>`;
}
