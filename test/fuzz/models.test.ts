import { expect, test } from "vitest";
import { Random } from "../../src/tensor/random.ts";
import { lawRuns } from "../laws/seed.ts";
import { isMessage, type Message, parse, serialize } from "./message.ts";
import { mutate } from "./mutate.ts";
import { run, type Stage } from "./pipeline.ts";
import { seeds, seedsFrom } from "./seeds.ts";
import { startWatchdog } from "./watchdog.ts";

/** Seconds of processor time that one file may take. */
const maxSeconds = 2;

/** How much memory may grow beyond that at the start, in bytes. */
const maxGrowth = 2 ** 30;

const { seed, numRuns } = lawRuns("mutated models", 5000);

/** ESPALIER_FUZZ_MODELS names a folder of ONNX files to use as seeds as well. */
const folder = process.env.ESPALIER_FUZZ_MODELS;
const starts = folder === undefined ? seeds : [...seeds, ...seedsFrom(folder)];

/** ESPALIER_FUZZ_CASE repeats one case alone. */
const only = process.env.ESPALIER_FUZZ_CASE;

function bytesOf(index: number): Uint8Array {
  const random = new Random(seed, "fuzz", index);
  const [model, donor] = [starts[random.integer(starts.length)], starts[random.integer(starts.length)]];
  return mutate(model as Message, donor as Message, random);
}

/** Runs one case. Errors name the case. */
function runCase(index: number): ReturnType<typeof run> {
  const before = process.cpuUsage();
  try {
    const outcome = run(bytesOf(index));
    const { user, system } = process.cpuUsage(before);
    if (user + system > maxSeconds * 1e6) throw new Error(`took ${(user + system) / 1e6} s`);
    return outcome;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`case ${index} of seed ${seed}: ${message}; repeat it with ESPALIER_FUZZ_CASE=${index}`, {
      cause,
    });
  }
}

test("the seeds are as intended: they can be read, grown, and parsed without change", () => {
  for (const model of seeds) {
    const bytes = serialize(model);
    expect(run(bytes)).toEqual({ stage: "grown", error: undefined });
    expect(serialize(parse(bytes, "Model"))).toEqual(bytes);
    expect(model.entries.some(({ value }) => isMessage(value))).toBe(true);
  }
});

test(
  "a mutated model is read, typed, searched, grown and written, or refused with a typed error",
  async () => {
    const counts = new Map<string, number>();
    const count = (key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
    const watchdog = startWatchdog(30);
    const atStart = process.memoryUsage.rss();
    let highest = atStart;
    const cases = only === undefined ? Array.from({ length: numRuns }, (_, index) => index) : [Number(only)];
    try {
      for (const index of cases) {
        watchdog.beat(index);
        const { stage, error } = runCase(index);
        count(error === undefined ? stage : `${stage}, then ${error.code}`);
        if (index % 500 === 0) highest = Math.max(highest, process.memoryUsage.rss());
      }
    } finally {
      await watchdog.stop();
    }
    console.log(
      [...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, number]) => `${number} ${key}`)
        .join("; "),
    );
    expect(highest - atStart).toBeLessThan(maxGrowth);
    if (only !== undefined) return;
    // Mutations that never get past the reader, or never trouble it, would prove nothing.
    for (const stage of ["grown", "nothing, then FORMAT", "nothing, then INVALID_MODEL"] satisfies (
      | Stage
      | string
    )[]) {
      expect(counts.get(stage) ?? 0, stage).toBeGreaterThan(numRuns / 100);
    }
  },
  30 * 60_000,
);
