import { whole } from "../../report/drawing/figures.ts";
import { type Markup, markup } from "../../report/drawing/markup.ts";
import { htmlPage } from "../../report/html-page.ts";
import { type ComparisonResults, groupFailures } from "../results.ts";
import { curves } from "./curves.ts";
import { setup } from "./setup.ts";
import { tuning } from "./tuning.ts";
import { verdict } from "./verdict.ts";

/** A ledger as one HTML file. `date` is ISO 8601. */
export function comparisonPage(ledger: ComparisonResults, date: string): string {
  const sections = [verdict, curves, failures, tuning, setup];
  return htmlPage({ title: ledger.comparison.title, date, body: sections.map((section) => section(ledger)) });
}

function failures({ failures }: ComparisonResults): Markup {
  if (failures.length === 0) return markup``;
  return markup`<section aria-labelledby="failures">
<h2 id="failures">Failed runs</h2>
<p class="note bad">${whole(failures.length)} of the runs failed and are missing above.</p>
<ul class="troubles">${groupFailures(failures).map(({ arm, seeds, stage, reason }) => markup`<li>${arm} (${stage}, seeds ${seeds.join(", ")}): ${reason}</li>`)}</ul>
</section>`;
}
