import type { Dataset } from "../../data/dataset.ts";
import { TrainingLoop } from "./loop.ts";
import type { LoopTrainer } from "./loop-trainer.ts";
import type { RunEvent } from "./run-event.ts";
import { loopOptions, type RunOptions } from "./run-options.ts";

/**
 * A training run as a sequence of events, to watch, pause, step or stop it:
 *
 * ```ts
 * const run = trainer.run(data, { epochs: 5, validation });
 * for await (const event of run) {
 *   if (event.kind === "step") draw(event.loss);
 * }
 * ```
 *
 * Nothing happens unless the next event is asked for. After each update come, in this order and as far as they are due,
 * an evaluation, decisions about growth (each before and after it is carried out) and a checkpoint; the last event is
 * "end". In a browser the run yields to the page about every 8 ms. Breaking off the iteration ends the run as it is; a signal
 * ends it between two updates, restores the best weights if there is early stopping, and says so in "end".
 */
export class Run implements AsyncIterableIterator<RunEvent, undefined, undefined> {
  readonly #events: AsyncGenerator<RunEvent, undefined, undefined>;
  readonly #signal: AbortSignal | undefined;
  #paused = false;
  /** Updates that may be done while it is paused. */
  #granted = 0;
  #wake: (() => void) | undefined;
  /** Whether it waits, or has ended. */
  #waiting = false;
  readonly #resting: (() => void)[] = [];

  /** Throws `ARGUMENT`, `EMPTY_DATA`, `UNKNOWN_WIDTH` or `NOT_GROWABLE` for options that do not suit the trainer. */
  constructor(trainer: LoopTrainer, data: Dataset, options: RunOptions) {
    this.#signal = options.signal;
    const loop = new TrainingLoop(trainer, data, loopOptions(trainer, data, options));
    this.#events = this.#play(trainer, loop);
  }

  /** Whether it waits, or is about to. */
  get paused(): boolean {
    return this.#paused;
  }

  /**
   * Waits before the next update, until {@link Run.resume}; what is due before then is still done. Resolves once it
   * waits or has ended, so do not await it in the loop that consumes the events.
   */
  pause(): Promise<void> {
    this.#paused = true;
    return this.#rest();
  }

  /** Continues after {@link Run.pause}. */
  resume(): void {
    this.#paused = false;
    this.#granted = 0;
    this.#wake?.();
  }

  /** Lets one update through while it is paused, and pauses it if it is not. Resolves as {@link Run.pause} does. */
  step(): Promise<void> {
    this.#paused = true;
    this.#granted++;
    this.#waiting = false;
    this.#wake?.();
    return this.#rest();
  }

  /** The next event. Throws `BUSY` if another run is training the trainer, and `DIVERGED`. */
  next(): Promise<IteratorResult<RunEvent, undefined>> {
    return this.#events.next();
  }

  /** Ends the run as it is, between two events; the trainer may then be trained by another. */
  return(): Promise<IteratorResult<RunEvent, undefined>> {
    return this.#events.return(undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async *#play(trainer: LoopTrainer, loop: TrainingLoop): AsyncGenerator<RunEvent, undefined, undefined> {
    const first = trainer.step;
    try {
      const stoppedBy = yield* loop.advance(undefined, this.#signal, () => this.#gate());
      const { step } = trainer;
      await loop.takeBest();
      // No loss has judged the last update yet.
      if (step !== first) await trainer.settle();
      const { best } = loop;
      if (stoppedBy !== "paused")
        yield { kind: "end", step, stoppedBy, ...(best === undefined ? {} : { best }) };
      return undefined;
    } finally {
      this.#nowAtRest();
    }
  }

  #rest(): Promise<void> {
    if (this.#waiting) return Promise.resolve();
    return new Promise((resolve) => this.#resting.push(resolve));
  }

  #nowAtRest(): void {
    this.#waiting = true;
    for (const resolve of this.#resting.splice(0)) resolve();
  }

  /** Open unless it is paused; a signal opens it too, so that it takes effect. */
  async #gate(): Promise<void> {
    const signal = this.#signal;
    while (this.#paused && this.#granted === 0 && signal?.aborted !== true) {
      this.#nowAtRest();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal?.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    this.#waiting = false;
    if (this.#granted > 0) this.#granted--;
  }
}
