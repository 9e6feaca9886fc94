import type { RunPoint } from "../report/run-record.ts";
import { clock, score, short, widthsText } from "./format.ts";
import type { CliIo } from "./io.ts";

/** What of a run is on show. */
export interface ProgressState {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  /** The last evaluation's. */
  readonly test?: RunPoint["test"];
  readonly metric: string | undefined;
  readonly widths: Readonly<Record<string, number>>;
  readonly examplesPerSecond: number;
  readonly secondsLeft: number;
}

const redrawMs = 100;
const plainMs = 5000;

/**
 * Shows how far training is: on a terminal one line drawn over at most ten times a second, elsewhere a plain line at
 * each tenth of the run or every five seconds.
 */
export class ProgressBar {
  readonly #io: CliIo;
  #drawn = false;
  #last = Number.NEGATIVE_INFINITY;
  #tenths = 0;

  constructor(io: CliIo) {
    this.#io = io;
  }

  /** Draws if it is time; `state` is asked for only then. */
  update(now: number, share: number, state: () => ProgressState): void {
    const columns = this.#io.columns();
    if (columns === undefined) {
      const tenths = Math.floor(share * 10 + 1e-9);
      if (this.#last === Number.NEGATIVE_INFINITY) this.#last = now;
      if (now - this.#last < plainMs && tenths === this.#tenths) return;
      this.#tenths = tenths;
      this.#io.err(`${progressText(state())}\n`);
    } else {
      if (now - this.#last < redrawMs && share < 1) return;
      this.#io.err(`\r\u001b[2K${barLine(state(), columns)}`);
      this.#drawn = true;
    }
    this.#last = now;
  }

  /** Writes a line that stays, above the bar. */
  note(text: string): void {
    this.clear();
    this.#io.err(`${text}\n`);
  }

  /** Takes the bar off the terminal. */
  clear(): void {
    if (this.#drawn) this.#io.err("\r\u001b[2K");
    this.#drawn = false;
    // After a note the bar comes back with the next update.
    if (this.#io.columns() !== undefined) this.#last = Number.NEGATIVE_INFINITY;
  }
}

/** The bar and the text, cut to the terminal. */
export function barLine(state: ProgressState, columns: number): string {
  const cells = Math.max(8, Math.min(24, columns - 76));
  const share = state.steps === 0 ? 1 : Math.min(1, state.step / state.steps);
  const full = Math.round(share * cells);
  const bar = "█".repeat(full) + "░".repeat(cells - full);
  // One column stays free: writing into the last one wraps on some terminals.
  return `${bar} ${progressText(state)}`.slice(0, Math.max(1, columns - 1));
}

/** "step 450/1000  loss 0.412  accuracy 92.1 %  hidden1 24  52.3k examples/s  0:03 left" */
export function progressText(state: ProgressState): string {
  const { metric, test } = state;
  const parts = [`step ${state.step}/${state.steps}`, `loss ${state.loss.toPrecision(3)}`];
  const value = metric === undefined ? undefined : test?.[metric];
  if (metric !== undefined && value !== undefined) parts.push(`${metric} ${score(metric, value)}`);
  if (Object.keys(state.widths).length > 0) parts.push(widthsText(state.widths));
  if (state.examplesPerSecond > 0) parts.push(`${short(state.examplesPerSecond)} examples/s`);
  if (Number.isFinite(state.secondsLeft)) parts.push(`${clock(state.secondsLeft)} left`);
  return parts.join("  ");
}
