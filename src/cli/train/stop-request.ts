import { exitCodeOfSignal } from "../print/exit-code.ts";
import type { CliIo, StopSignal } from "../print/io.ts";

/** Turns the first Ctrl-C or SIGTERM into a request to stop between two steps; the second ends the process at once. */
export class StopRequest {
  readonly #controller = new AbortController();
  readonly #release: () => void;
  #received: StopSignal | undefined;

  constructor(io: CliIo) {
    this.#release = io.onSignal((signal) => {
      if (this.#received !== undefined) {
        io.exit(exitCodeOfSignal(signal));
        return;
      }
      this.#received = signal;
      io.err("\nStopping after this step (once more to quit at once) ...\n");
      this.#controller.abort();
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The signal that came, if any. */
  get received(): StopSignal | undefined {
    return this.#received;
  }

  /** Stops handling signals. */
  release(): void {
    this.#release();
  }
}
