import { htmlPage } from "./html-page.ts";
import type { RunRecord } from "./record/run-record.ts";
import { configuration } from "./sections/configuration.ts";
import { curves } from "./sections/curves.ts";
import { decisionTable } from "./sections/decisions.ts";
import { diagnosis } from "./sections/diagnosis.ts";
import { growthTable } from "./sections/growths.ts";
import { summary } from "./sections/summary.ts";
import { widths } from "./sections/widths.ts";

/** A run as one HTML file without scripts or external resources. */
export function htmlReport(run: RunRecord): string {
  const sections = [summary, curves, widths, growthTable, decisionTable, diagnosis, configuration];
  return htmlPage({ title: run.title, date: run.date, body: sections.map((section) => section(run)) });
}
