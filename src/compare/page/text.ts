import type { ScheduleConfig } from "../config.ts";
import type { Named } from "../read-named.ts";

/** JSON without its quotes and outer braces. */
export function plain(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('"', "")
    .replace(/^\{|\}$/g, "")
    .replaceAll(/[:,]/g, (sign) => `${sign} `);
}

/** "huber, delta 2": a name and the options that were given. */
export function namedText({ name, options }: Named<string>): string {
  return [name, ...Object.entries(options).map(([option, value]) => `${option} ${value}`)].join(", ");
}

/** "cosine, warmup 10, 200 steps" */
export function scheduleText({ kind, options, steps }: ScheduleConfig): string {
  return namedText({ name: kind, options }) + (steps === undefined ? "" : `, ${steps} steps`);
}
