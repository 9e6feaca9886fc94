import fc from "fast-check";

/** Fixed, so that a run can be repeated; ESPALIER_SEED overrides it, to try other cases. */
const seed = Number(process.env.ESPALIER_SEED ?? 20_240_229);

/** Multiplies the number of runs: ESPALIER_RUNS=10 tries ten times as many cases. */
const factor = Number(process.env.ESPALIER_RUNS ?? 1);

/** fast-check's settings for one law, printed so that a failure elsewhere can be repeated. */
export function lawRuns(law: string, runs: number): { seed: number; numRuns: number; endOnFailure: boolean } {
  const numRuns = Math.max(1, Math.round(runs * factor));
  console.log(`law "${law}": seed ${seed}, ${numRuns} runs`);
  // Shrinking would compile a session per try, and the counterexample as drawn is already small.
  return { seed, numRuns, endOnFailure: true };
}

/** A 31-bit seed for the library's own generator. */
export const anySeed = fc.nat(2 ** 31 - 1);
