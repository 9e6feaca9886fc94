import { Worker } from "node:worker_threads";

/** Checks from another thread that cases make progress: an endless loop would block this one. */
export interface Watchdog {
  beat(test: number): void;
  stop(): Promise<number>;
}

const watch = `
  const { workerData: { shared, seconds } } = require("node:worker_threads");
  const { writeSync } = require("node:fs");
  const cells = new Int32Array(shared);
  let seen = -1;
  let since = Date.now();
  setInterval(() => {
    const test = Atomics.load(cells, 0);
    if (test !== seen) { seen = test; since = Date.now(); }
    else if (Date.now() - since > seconds * 1000) {
      writeSync(2, "case " + test + " has not come back for " + seconds + " s\\n");
      process.kill(process.pid, "SIGKILL");
    }
  }, 500);
`;

/** Ends this process, naming the case, if no case ends for `seconds`. */
export function startWatchdog(seconds: number): Watchdog {
  const shared = new SharedArrayBuffer(4);
  const cells = new Int32Array(shared);
  const worker = new Worker(watch, { eval: true, workerData: { shared, seconds } });
  return { beat: (test) => Atomics.store(cells, 0, test), stop: () => worker.terminate() };
}
