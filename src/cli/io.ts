export type StopSignal = "SIGINT" | "SIGTERM";

/** Everything a command touches outside itself, so that tests can hand in their own. */
export interface CliIo {
  /** Results. */
  readonly out: (text: string) => void;
  /** Progress, explanations and errors. */
  readonly err: (text: string) => void;
  /** Columns of the terminal that `err` writes to; undefined where it is none. */
  readonly columns: () => number | undefined;
  /** Calls `listener` for Ctrl-C and SIGTERM until the returned function is called. */
  readonly onSignal: (listener: (signal: StopSignal) => void) => () => void;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  /** ISO 8601. */
  readonly now: () => string;
}

/** The process's own. */
export const processIo: CliIo = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  columns: () => (process.stderr.isTTY ? (process.stderr.columns ?? 80) : undefined),
  onSignal(listener) {
    const signals: readonly StopSignal[] = ["SIGINT", "SIGTERM"];
    const handlers = signals.map((signal) => [signal, () => listener(signal)] as const);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    return () => {
      for (const [signal, handler] of handlers) process.off(signal, handler);
    };
  },
  exit: (code) => process.exit(code),
  now: () => new Date().toISOString(),
};
