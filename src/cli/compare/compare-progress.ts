import { clock } from "../print/format.ts";
import type { CliIo } from "../print/io.ts";

const redrawMs = 200;
const plainMs = 10_000;

/**
 * Progress of a comparison: jobs done out of all, by arm, and the time left, estimated from the fractions of jobs done.
 * On a terminal, one line that is redrawn; elsewhere, a line at each tenth of a stage, or every ten seconds.
 */
export class CompareProgress {
  readonly #io: CliIo;
  readonly #quiet: boolean;
  #stage = "";
  /** By job: its arm, and the fraction done. */
  #jobs = new Map<string, { readonly arm: string; share: number }>();
  #started = 0;
  #before = 0;
  #drawn = false;
  #last = 0;
  #tenths = 0;

  constructor(io: CliIo, quiet: boolean) {
    this.#io = io;
    this.#quiet = quiet;
  }

  /** Begins a stage with its jobs: arm names by key. */
  begin(stage: string, jobs: ReadonlyMap<string, string>): void {
    this.#stage = stage;
    this.#jobs = new Map([...jobs].map(([key, arm]) => [key, { arm, share: 0 }]));
    this.#started = performance.now();
    this.#last = this.#started;
    this.#before = Number.NaN;
    this.#tenths = 0;
  }

  update(key: string, share: number): void {
    const job = this.#jobs.get(key);
    if (job === undefined || this.#quiet) return;
    job.share = share;
    const now = performance.now();
    const done = this.#done();
    const tenths = Math.floor((done / this.#jobs.size) * 10 + 1e-9);
    const terminal = this.#io.columns();
    // Jobs done by earlier runs are reported at once and say nothing about speed.
    if (Number.isNaN(this.#before) && share < 1) this.#before = done - share;
    if (terminal === undefined) {
      if (now - this.#last < plainMs && tenths === this.#tenths) return;
      this.#io.err(`${this.#text(now)}\n`);
    } else {
      if (now - this.#last < redrawMs && done < this.#jobs.size) return;
      this.#io.err(`\r\u001b[2K${this.#text(now).slice(0, terminal - 1)}`);
      this.#drawn = true;
    }
    this.#last = now;
    this.#tenths = tenths;
  }

  /** Writes a line that stays. */
  note(text: string): void {
    this.clear();
    if (!this.#quiet) this.#io.err(`${text}\n`);
  }

  clear(): void {
    if (this.#drawn) this.#io.err("\r\u001b[2K");
    this.#drawn = false;
  }

  #done(): number {
    return [...this.#jobs.values()].reduce((sum, { share }) => sum + share, 0);
  }

  /** "report 34/120 · scratch 12/30, grown 10/30 · 2:31 left" */
  #text(now: number): string {
    const arms = new Map<string, { done: number; all: number }>();
    for (const { arm, share } of this.#jobs.values()) {
      const count = arms.get(arm) ?? { done: 0, all: 0 };
      arms.set(arm, { done: count.done + Number(share >= 1), all: count.all + 1 });
    }
    const whole = [...this.#jobs.values()].filter(({ share }) => share >= 1).length;
    const done = this.#done();
    const fresh = done - (Number.isNaN(this.#before) ? 0 : this.#before);
    const left = ((now - this.#started) / 1000 / fresh) * (this.#jobs.size - done);
    return [
      `${this.#stage} ${whole}/${this.#jobs.size}`,
      [...arms].map(([arm, { done, all }]) => `${arm} ${done}/${all}`).join(", "),
      ...(fresh > 0 && Number.isFinite(left) ? [`${clock(left)} left`] : []),
    ].join(" · ");
  }
}
