import type { ControllerDecision } from "../../training/policy/state.ts";
import { absent, flops, significant, whole } from "../drawing/figures.ts";
import { badge } from "../drawing/marker.ts";
import { type Markup, markup } from "../drawing/markup.ts";
import type { RunRecord } from "../record/run-record.ts";

const columns: readonly (readonly [name: string, about: string, text: boolean])[] = [
  ["step", "Updates done", false],
  ["decision", "grow, keep or undo after a trial, skip, stop", true],
  ["units", "What grew, was kept or undone", true],
  ["spent", "FLOPs of the run before it", false],
  ["why", "With the numbers that decided", true],
];

/** Why it grew when and where it did, and why not elsewhere; nothing for runs without a policy. */
export function decisionTable(run: RunRecord): Markup {
  const arms = run.arms.map(({ decisions = [] }) => decisions);
  if (arms.every((decisions) => decisions.length === 0)) return markup``;
  return markup`<section aria-labelledby="decisions">
<h2 id="decisions">Decisions</h2>
<div class="scroll"><table class="growths decisions"><thead><tr>${columns.map(
    ([name, about, text]) => markup`<th scope="col" title="${about}" class="${text && "text"}">${name}</th>`,
  )}</tr></thead>
${arms.map(
  (decisions, index) =>
    decisions.length > 0 &&
    markup`<tbody>${
      run.arms.length > 1 &&
      markup`<tr class="group"><th colspan="${columns.length}" scope="rowgroup">${badge(index)}<span class="name">${run.arms[index]?.name ?? ""}</span></th></tr>`
    }${decisions.map(row)}</tbody>`,
)}</table></div>
</section>`;
}

function row({ step, action, growths, backTo, flops: spent, why, scores = [] }: ControllerDecision): Markup {
  const units = growths.map(({ width, by }) => `${width} +${whole(by)}`).join(", ") || absent;
  const seen = scores.map(({ width, best }) => `${width} ${significant(best, 3)}`).join(", ");
  return markup`<tr><td>${whole(step)}</td><th scope="row" class="text">${action}${backTo !== undefined && `, back to ${whole(backTo)}`}</th><td class="text name">${units}</td><td>${flops(spent)}</td><td class="text why" title="${seen === "" ? "" : `Predicted decrease of the loss by the best new unit: ${seen}`}">${why}</td></tr>`;
}
