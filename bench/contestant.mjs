import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Longest wait for one answer, milliseconds. */
const patience = 300_000;

/**
 * One contestant as a child process that answers JSON lines (peers/serve.mjs says which). It computes only
 * while a request is open, so that at most one process works at a time.
 */
export class Contestant {
  #child;
  #answers;

  /** `command` is the program and its arguments; `environment` is added to this process's. */
  constructor(name, command, environment = {}) {
    this.name = name;
    this.#child = spawn(command[0], command.slice(1), {
      stdio: ["pipe", "pipe", process.env.BENCH_DEBUG ? "inherit" : "ignore"],
      env: { ...process.env, ...environment },
    });
    this.#child.on("error", () => {}); // The missing answer says it.
    this.#child.stdin.on("error", () => {});
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Sends a request and returns the answer. Throws if the contestant reports an error, ends or hangs. */
  async ask(request) {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${patience / 1000} s`)), patience);
    });
    try {
      const { value, done } = await Promise.race([this.#answers.next(), late]);
      if (done) throw new Error("the process ended (BENCH_DEBUG=1 shows what it printed)");
      const answer = JSON.parse(value);
      if (answer.error) throw new Error(answer.error);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process; a contestant stops when its input ends, or is killed after two seconds. */
  async close() {
    if (this.#child.pid === undefined || this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 2000);
    await ended;
    clearTimeout(timer);
  }
}
