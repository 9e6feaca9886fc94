import { type Markup, markup } from "../../report/drawing/markup.ts";
import { widthsOf } from "../end-size.ts";
import type { ComparisonResults } from "../results.ts";
import { namedText, plain, scheduleText } from "./text.ts";

/** The configuration: the task in a table, the arms, and the whole of it as JSON. */
export function setup({ comparison, lines }: ComparisonResults): Markup {
  const { task, seeds, arms, first } = comparison;
  const facts: readonly (readonly [string, string])[] = [
    ["question", comparison.question],
    ["data", plain(task.data)],
    ["network", plain(task.network)],
    ["loss", namedText(task.loss)],
    ...(task.metrics === undefined ? [] : ([["metrics", task.metrics.map(namedText).join("; ")]] as const)),
    ["batch", String(task.batch)],
    ["split", plain(task.split)],
    ["reference", comparison.reference],
    ["seeds", `report ${seeds.report.join(", ")}; tuning ${seeds.tuning.join(", ")}`],
    ...(first === undefined
      ? []
      : ([
          [
            "first phase",
            `${plain(widthsOf(first.size))}; rate ${first.rate}, ${scheduleText(first.schedule)}; ${plain(first.budget)}`,
          ],
        ] as const)),
  ];
  return markup`<section aria-labelledby="setup">
<h2 id="setup">Configuration</h2>
<table class="configuration"><tbody>${facts.map(
    ([name, value]) =>
      markup`<tr><th scope="row" class="text">${name}</th><td class="text">${value}</td></tr>`,
  )}</tbody></table>
<h3>Arms</h3>
<table class="configuration"><thead><tr><th class="text" scope="col">arm</th><th class="text" scope="col">starts with</th><th class="text" scope="col">grows</th><th class="text" scope="col">ends with</th><th class="text" scope="col">budget</th></tr></thead>
<tbody>${arms.map(
    (arm) =>
      markup`<tr><th scope="row" class="text">${arm.name}</th><td class="text">${arm.goesOn && "the first phase's "}${plain(widthsOf(arm.size))}</td><td class="text">${arm.growth === undefined ? "no" : plain(arm.growth)}${arm.newborn !== undefined && `; newborn: ${plain(arm.newborn)}`}</td><td class="text">${ends(lines, arm.name)}</td><td class="text">${plain(arm.budget)}; ${namedText(arm.optimizer)}</td></tr>`,
  )}</tbody></table>
<details><summary>The whole configuration as JSON, every default filled in</summary><div class="scroll"><pre>${JSON.stringify(comparison, null, 1)}</pre></div></details>
</section>`;
}

/** The sizes that its runs ended with; if they differ, how many sizes there are. */
function ends(lines: ComparisonResults["lines"], name: string): string {
  const runs = lines.find((line) => line.name === name)?.runs ?? [];
  const sizes = [...new Set(runs.map(({ widths }) => plain(widths)))];
  return sizes.length <= 1 ? (sizes[0] ?? "–") : `${sizes.length} different sizes, such as ${sizes[0]}`;
}
