import { createInterface } from "node:readline";

/**
 * The contestant's side of the protocol: one JSON request per line on stdin, one JSON answer per line on stdout.
 *
 * - `{ cmd: "setup", workload, threads, files, warmUp }` → `{ variants, version, threads, note? }`: builds every
 *   variant and trains each for `warmUp` steps. `threads` in the answer is what is really used.
 * - `{ cmd: "measure", variant, steps }` → `{ ms, loss }`: trains that many steps; total milliseconds, last loss.
 * - anything that throws → `{ error }`.
 *
 * `contestant` is `{ setup(request), measure(request) }`, both may be asynchronous.
 */
export async function serve(contestant) {
  // Libraries may print to stdout; the protocol owns it.
  console.log = console.error;
  console.info = console.error;
  for await (const line of createInterface({ input: process.stdin })) {
    let answer;
    try {
      const request = JSON.parse(line);
      answer = await contestant[request.cmd](request);
    } catch (error) {
      answer = { error: error instanceof Error ? error.message : String(error) };
      console.error(error);
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

/** Times `steps` calls of `step(index)`, which gives the loss; `from` is the index of the first. */
export async function timeSteps(step, from, steps) {
  let loss = Number.NaN;
  const start = performance.now();
  for (let index = 0; index < steps; index++) loss = await step(from + index);
  return { ms: performance.now() - start, loss };
}
