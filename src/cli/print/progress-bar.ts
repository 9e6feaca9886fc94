import type { RunPoint } from "../../report/record/run-record.ts";
import { short } from "../../tensor/number-text.ts";
import { clock, score, widthsText } from "./format.ts";
import type { CliIo } from "./io.ts";

/** The state of a run to show. */
export interface ProgressState {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  /** The last evaluation, and its step. */
  readonly test?: { readonly step: number; readonly scores: NonNullable<RunPoint["test"]> } | undefined;
  readonly metric: string | undefined;
  readonly widths: Readonly<Record<string, number>>;
  readonly examplesPerSecond: number;
  readonly secondsLeft: number;
}

const redrawMs = 100;
const plainMs = 5000;

/**
 * Shows the progress of training: on a terminal, one line redrawn at most ten times a second; elsewhere, a plain line
 * at each tenth of the run or every five seconds.
 */
export class ProgressBar {
  readonly #io: CliIo;
  #drawn = false;
  #last = Number.NEGATIVE_INFINITY;
  #tenths: number;

  /** `share` is the fraction that an earlier part of the run has done. */
  constructor(io: CliIo, share = 0) {
    this.#io = io;
    this.#tenths = tenthsOf(share);
  }

  /** Draws if it is time; `state` is called only then. */
  update(now: number, share: number, state: () => ProgressState): void {
    const columns = this.#io.columns();
    if (columns === undefined) {
      const tenths = tenthsOf(share);
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

  /** Removes the bar from the terminal. */
  clear(): void {
    if (this.#drawn) this.#io.err("\r\u001b[2K");
    this.#drawn = false;
    // After a note the bar returns with the next update.
    if (this.#io.columns() !== undefined) this.#last = Number.NEGATIVE_INFINITY;
  }
}

const tenthsOf = (share: number) => Math.floor(share * 10 + 1e-9);

/** The bar and the text; a shorter bar and less text if the terminal is narrow. */
export function barLine(state: ProgressState, columns: number): string {
  // One column stays free: writing into the last one wraps on some terminals.
  const room = Math.max(1, columns - 1);
  const text = progressText(state, room - 9);
  const cells = Math.max(8, Math.min(24, room - text.length - 1));
  const share = state.steps === 0 ? 1 : Math.min(1, state.step / state.steps);
  const full = Math.round(share * cells);
  const bar = "█".repeat(full) + "░".repeat(cells - full);
  return `${bar} ${text}`.slice(0, room);
}

/**
 * "step 450/1000  loss 0.412  accuracy 92.1 %  hidden1 24  52.3k examples/s  0:03 left". The metric names its step if
 * that is an earlier one. With `room`, the least important parts are dropped until the rest fits.
 */
export function progressText(state: ProgressState, room = Number.POSITIVE_INFINITY): string {
  const { metric, test, step } = state;
  const value = metric === undefined ? undefined : test?.scores[metric];
  const parts = {
    step: `step ${step}/${state.steps}`,
    loss: `loss ${state.loss.toPrecision(3)}`,
    metric:
      metric === undefined || test === undefined || value === undefined
        ? ""
        : `${metric} ${score(metric, value)}${test.step === step ? "" : ` (step ${test.step})`}`,
    widths: widthsText(state.widths),
    speed: state.examplesPerSecond > 0 ? `${short(state.examplesPerSecond)} examples/s` : "",
    left: Number.isFinite(state.secondsLeft) ? `${clock(state.secondsLeft)} left` : "",
  };
  const text = () =>
    Object.values(parts)
      .filter((part) => part !== "")
      .join("  ");
  for (const least of ["speed", "widths", "metric", "left"] as const) {
    if (text().length <= room) break;
    parts[least] = "";
  }
  return text();
}
