import { expect } from "vitest";
import { startWatchdog } from "./watchdog.ts";

/** ESPALIER_FUZZ_CASE repeats one case alone. */
const only = process.env.ESPALIER_FUZZ_CASE;

export interface Campaign {
  readonly seed: number;
  readonly numRuns: number;
  /** Seconds of processor time that one case may take. Default 2. */
  readonly maxSeconds?: number;
  /** How much memory may grow beyond that at the start, in bytes. Default 512 MiB. */
  readonly maxGrowth?: number;
  /** Seconds after which a case counts as hanging. Default 30. */
  readonly silence?: number;
  /** Memory is looked at once in this many cases. Default 500. */
  readonly sampleEvery?: number;
  /** Outcomes that a hundredth of the cases must have: mutations that never reach them would prove nothing. */
  readonly expected: readonly string[];
}

/**
 * Runs mutated cases one after another and counts their outcomes. A case fails by throwing, by taking too long, and by keeping
 * memory; errors say how to repeat it.
 */
export async function campaign(
  { seed, numRuns, maxSeconds = 2, maxGrowth = 2 ** 29, silence = 30, sampleEvery = 500, expected }: Campaign,
  runCase: (index: number) => string | Promise<string>,
): Promise<void> {
  const counts = new Map<string, number>();
  const watchdog = startWatchdog(silence);
  const atStart = process.memoryUsage.rss();
  let highest = atStart;
  const cases = only === undefined ? Array.from({ length: numRuns }, (_, index) => index) : [Number(only)];
  try {
    for (const index of cases) {
      watchdog.beat(index);
      const outcome = await timed(() => runCase(index), maxSeconds).catch((cause) => {
        const message = cause instanceof Error ? cause.message : String(cause);
        throw new Error(
          `case ${index} of seed ${seed}: ${message}; repeat it with ESPALIER_FUZZ_CASE=${index}`,
          { cause },
        );
      });
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      if (index % sampleEvery === 0) highest = Math.max(highest, process.memoryUsage.rss());
    }
  } finally {
    await watchdog.stop();
  }
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  console.log(sorted.map(([outcome, count]) => `${count} ${outcome}`).join("; "));
  expect(highest - atStart).toBeLessThan(maxGrowth);
  if (only !== undefined) return;
  for (const outcome of expected) expect(counts.get(outcome) ?? 0, outcome).toBeGreaterThan(numRuns / 100);
}

async function timed<T>(run: () => T | Promise<T>, maxSeconds: number): Promise<T> {
  const before = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(before);
  if (user + system > maxSeconds * 1e6) throw new Error(`took ${(user + system) / 1e6} s`);
  return result;
}
