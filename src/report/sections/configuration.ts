import { plain } from "../drawing/figures.ts";
import { type Markup, markup } from "../drawing/markup.ts";
import type { RunRecord } from "../record/run-record.ts";

/** The configuration of the run. */
export function configuration({ configuration: asked }: RunRecord): Markup {
  const entries = Object.entries(asked);
  return markup`<section aria-labelledby="configuration">
<h2 id="configuration">Configuration</h2>
${
  entries.length === 0
    ? markup`<p class="empty">None was recorded.</p>`
    : markup`<table class="configuration"><tbody>${entries.map(
        ([name, value]) =>
          markup`<tr><th scope="row" class="text">${name}</th><td class="text">${print(value)}</td></tr>`,
      )}</tbody></table>`
}
</section>`;
}

function print(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  if (Number.isNaN(value)) return "not a number";
  // A seed is a name made of digits: no thousands separators.
  return Number.isInteger(value) ? String(value) : plain(value);
}
