import type { RunRecord } from "./record/run-record.ts";

/**
 * A run as JSON. Keys are sorted, so that equal runs give equal bytes regardless of the order in which their
 * objects were built. NaN and infinities are null. Ends with a line feed.
 */
export function jsonReport(run: RunRecord): string {
  return `${JSON.stringify({ format: "espalier-run", version: 1, ...run }, sortKeys, 2)}\n`;
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  // Locale-independent: the order must be the same on every machine.
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
