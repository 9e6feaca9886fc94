import { significant, whole } from "../../report/drawing/figures.ts";
import { type Markup, markup } from "../../report/drawing/markup.ts";
import type { ComparisonResults } from "../results.ts";
import { scheduleText } from "./text.ts";

/** The grid of every tuned arm, and its choice. */
export function tuning({ tuned, comparison }: ComparisonResults): Markup {
  const { seeds, tuning: rule } = comparison;
  if (tuned.length === 0)
    return markup`<section aria-labelledby="tuning"><h2 id="tuning">Tuning</h2><p class="empty">Every arm had one learning rate and one schedule: nothing was tuned.</p></section>`;
  const edges = tuned.filter(({ atEdge }) => atEdge).map(({ arm }) => arm);
  return markup`<section aria-labelledby="tuning">
<h2 id="tuning">Tuning</h2>
<p class="note">Each arm keeps the grid point with the least mean of the ${rule.rule === "best" ? "best" : "last"} validation losses over ${whole(seeds.tuning.length)} seeds that are not reported on (${seeds.tuning.join(", ")}). What tuning costs is charged to no arm.</p>
${edges.length > 0 && markup`<p class="note bad">Chosen at the edge of the grid of rates: ${edges.join(", ")}. A wider grid might do better.</p>`}
<div class="scroll"><table>
<thead><tr><th class="text" scope="col">arm</th><th class="text" scope="col">rate</th><th class="text" scope="col">schedule</th><th scope="col">mean loss</th><th scope="col">by seed</th></tr></thead>
<tbody>${tuned.map(({ arm, points, chosen }) =>
    points.map(
      ({ point, mean, scores }, index) =>
        markup`<tr class="${index === chosen && "chosen"}"><th scope="row" class="text">${index === 0 && arm}</th><td class="text">${significant(point.rate, 2)}${index === chosen && " ✓"}</td><td class="text">${scheduleText(point.schedule)}</td><td>${significant(mean)}</td><td>${scores.map((score) => significant(score, 3)).join(", ")}</td></tr>`,
    ),
  )}</tbody></table></div>
</section>`;
}
