import { exitCodes } from "./exit-code.ts";
import { visible } from "./format.ts";

/** SIGPIPE: nobody reads the output any more, as after `| head`. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGPIPE";

/** Everything a command touches outside itself, so that tests can pass their own. */
export interface CliIo {
  /** Results. */
  readonly out: (text: string) => void;
  /** Progress, explanations and errors. */
  readonly err: (text: string) => void;
  /** Columns of the terminal that `err` writes to; undefined if it is not a terminal. */
  readonly columns: () => number | undefined;
  /** Calls `listener` for Ctrl-C, SIGTERM and a closed pipe until the returned function is called. */
  readonly onSignal: (listener: (signal: StopSignal) => void) => () => void;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  /** ISO 8601. */
  readonly now: () => string;
}

/** Listeners for a closed pipe. Node has no signal for it, only an error of the stream. */
const pipeListeners = new Set<() => void>();

for (const stream of [process.stdout, process.stderr]) {
  // Anything written later is lost, and each write would report it again.
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") {
      for (const listener of pipeListeners) listener();
      return;
    }
    if (stream === process.stdout)
      process.stderr.write(`espalier: Standard output cannot be written: ${error.message}.\n`);
    process.exit(exitCodes.failure);
  });
}

/** The I/O of the process itself. */
export const processIo: CliIo = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  columns: () => (process.stderr.isTTY ? (process.stderr.columns ?? 80) : undefined),
  onSignal(listener) {
    const signals = ["SIGINT", "SIGTERM"] as const;
    const handlers = signals.map((signal) => [signal, () => listener(signal)] as const);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    const closed = () => {
      pipeListeners.delete(closed);
      listener("SIGPIPE");
    };
    pipeListeners.add(closed);
    return () => {
      for (const [signal, handler] of handlers) process.off(signal, handler);
      pipeListeners.delete(closed);
    };
  },
  exit: (code) => process.exit(code),
  now: () => new Date().toISOString(),
};

/** Prints what was assumed. */
export function noteTo({ err }: CliIo, notes: readonly string[]): void {
  for (const note of notes) err(`note: ${visible(note)}\n`);
}
