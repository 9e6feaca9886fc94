import { setTimeout as sleep } from "node:timers/promises";
import { Contestant } from "./contestant.mjs";
import { quantile } from "./quantile.mjs";
import { threadEnvironment } from "./roster.mjs";

/** Steps before anything is timed. */
export const warmUp = 20;

/**
 * Measures one workload: starts every contestant at every thread count, warms it up, and then goes round all of
 * them `rounds` times, so that what else the machine does hits all alike. A slice is as many steps as take about
 * `sliceMs`, between 1 and `mostSteps`; between slices there is a pause, for threads that spin to settle.
 *
 * Gives one entry for each contestant and thread count:
 * `{ name, threads, version, note?, variants: { [name]: number[] }, variant, ms, low, high, loss, trained }`, where `ms` is the
 * median over the rounds of milliseconds per step of the fastest variant, `low` and `high` its quartiles, `loss` its last after `trained` steps; or
 * `{ name, threads, missing }`.
 */
export async function measureWorkload(workload, files, contestants, { rounds, sliceMs, mostSteps, say }) {
  const entries = [];
  try {
    for (const contestant of contestants)
      for (const threads of contestant.threads) {
        say(`${workload.name}: warming up ${contestant.name}, ${threads} threads`);
        entries.push(await start(contestant, threads, workload, files, { sliceMs, mostSteps }));
      }
    for (let round = 0; round < rounds; round++) {
      say(`${workload.name}: round ${round + 1} of ${rounds}`);
      for (const entry of entries) await measureRound(entry);
    }
  } finally {
    await Promise.all(entries.map((entry) => entry.process?.close()));
  }
  return entries.map(summary);
}

async function start(contestant, threads, workload, files, { sliceMs, mostSteps }) {
  const entry = { name: contestant.name, threads, lanes: [] };
  if (contestant.missing) return { ...entry, missing: contestant.missing };
  entry.process = new Contestant(contestant.name, contestant.command, threadEnvironment(threads));
  try {
    const answer = await entry.process.ask({ cmd: "setup", workload, threads, files, warmUp });
    for (const variant of answer.variants) {
      // One short slice says how many steps fill a slice.
      const { ms } = await entry.process.ask({ cmd: "measure", variant, steps: 2 });
      const steps = Math.min(mostSteps, Math.max(1, Math.round((2 * sliceMs) / ms)));
      entry.lanes.push({ variant, steps, samples: [], trained: warmUp + 2, loss: Number.NaN });
    }
    return { ...entry, version: answer.version, note: answer.note };
  } catch (error) {
    await entry.process.close();
    return { name: entry.name, threads, lanes: [], missing: error.message };
  }
}

async function measureRound(entry) {
  for (const lane of entry.lanes) {
    if (entry.missing) return;
    await sleep(30);
    try {
      const { ms, loss } = await entry.process.ask({
        cmd: "measure",
        variant: lane.variant,
        steps: lane.steps,
      });
      lane.samples.push(ms / lane.steps);
      lane.loss = loss;
      lane.trained += lane.steps;
      if (!Number.isFinite(loss)) throw new Error(`the loss became ${loss}`);
    } catch (error) {
      entry.missing = error.message;
    }
  }
}

function summary({ name, threads, version, note, lanes, missing }) {
  if (missing) return { name, threads, missing };
  const fastest = lanes.reduce((best, lane) =>
    quantile(lane.samples, 0.5) < quantile(best.samples, 0.5) ? lane : best,
  );
  return {
    name,
    threads,
    version,
    note,
    variant: fastest.variant,
    ms: quantile(fastest.samples, 0.5),
    low: quantile(fastest.samples, 0.25),
    high: quantile(fastest.samples, 0.75),
    loss: fastest.loss,
    trained: fastest.trained,
    variants: Object.fromEntries(lanes.map((lane) => [lane.variant, lane.samples])),
  };
}
