import type { GrowthRecord } from "../../training/history/record.ts";
import { absent, significant, whole } from "../drawing/figures.ts";
import { badge } from "../drawing/marker.ts";
import { type Markup, markup } from "../drawing/markup.ts";
import type { RunRecord } from "../record/run-record.ts";

const columns: readonly (readonly [name: string, about: string])[] = [
  ["step", "Updates done when it happened"],
  ["width", "What grew"],
  ["strategy", "How the new weights were chosen"],
  ["units", "Before and after"],
  ["loss", "On one batch, before and after"],
  ["max. difference", "Largest change of any output on that batch"],
  ["rounding bound", "What rounding may change, at the entry that comes closest"],
  [
    "preserved",
    "Whether every output stayed within its rounding bound, or within 1e-4 of its channel or example, or within the network's own noise",
  ],
  ["same bits", "Whether every output is identical bit for bit"],
  ["gradient, min.", "Least gradient norm of a new unit"],
  ["median", "Median gradient norm of the new units"],
  ["dead", "New units without a gradient, or zero on the whole batch"],
  ["identical", "Groups of units that are equal"],
  ["pause", "Milliseconds for which training paused"],
];

/** Every growth with its effect, and whether it kept its promises. */
export function growthTable(run: RunRecord): Markup {
  const grown = run.arms.filter(({ growths }) => growths.length > 0);
  return markup`<section aria-labelledby="growths">
<h2 id="growths">Growths</h2>
${
  grown.length === 0
    ? markup`<p class="empty">No width grew in this run.</p>`
    : markup`<div class="scroll"><table class="growths"><thead><tr><th scope="col">#</th>${columns.map(
        ([name, about]) =>
          markup`<th scope="col" title="${about}" class="${textColumns.has(name) && "text"}">${name}</th>`,
      )}</tr></thead>
${run.arms.map(
  ({ growths, name }, index) =>
    growths.length > 0 &&
    markup`<tbody>${
      run.arms.length > 1 &&
      markup`<tr class="group"><th colspan="${columns.length + 1}" scope="rowgroup">${badge(index)}<span class="name">${name}</span></th></tr>`
    }${growths.map((growth, order) => row(growth, order + 1))}</tbody>`,
)}</table></div>
<p class="note">The rounding bound is computed for each output entry, from the sums in the network; the table shows the entry that came closest to its bound. Gradient norms are those of the new units, over all their weights.</p>`
}
</section>`;
}

const textColumns: ReadonlySet<string> = new Set(["width", "strategy"]);

function row(growth: GrowthRecord, number: number): Markup {
  const { step, width, strategy, size, loss, output, newUnits, identicalUnits, pauseMs } = growth;
  const norms = newUnits.map(({ gradientNorm }) => gradientNorm).sort((a, b) => a - b);
  const dead = newUnits.filter((unit) => unit.dead).length;
  return markup`<tr><td>${number}</td><td>${whole(step)}</td><th scope="row" class="text name">${width}</th><td class="text">${strategy}</td><td>${whole(size.before)} → ${whole(size.after)}</td><td>${significant(loss.before)} → ${significant(loss.after)}</td><td>${significant(output.maxDifference, 2)}</td><td>${significant(output.roundingBound, 2)}</td><td>${verdict(output.preserved)}</td><td>${output.identical ? "yes" : "no"}</td><td>${norms.length === 0 ? absent : significant(norms[0], 3)}</td><td>${norms.length === 0 ? absent : significant(median(norms), 3)}</td><td>${tally(dead)}</td><td>${tally(identicalUnits.length)}</td><td>${significant(pauseMs, 3)} ms</td></tr>`;
}

const verdict = (good: boolean) =>
  good ? markup`<span class="good">yes</span>` : markup`<strong class="bad">no</strong>`;

/** A count that should be zero. */
export const tally = (amount: number) =>
  amount === 0 ? markup`<span class="none">0</span>` : markup`<strong class="bad">${whole(amount)}</strong>`;

/** The median of at least one value, sorted. */
function median(sorted: readonly number[]): number {
  const half = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(half)] as number) + (sorted[Math.ceil(half)] as number)) / 2;
}
