import { type ErrorCode, EspalierError } from "../../tensor/errors.ts";

/** Exit codes of every command; `espalier --help` lists them. */
export const exitCodes = {
  success: 0,
  failure: 1,
  usage: 2,
  different: 3,
  nothingCompared: 4,
  SIGINT: 130,
  SIGPIPE: 141,
  SIGTERM: 143,
} as const;

/** Errors about what was typed rather than about files, data or training. */
const usageErrors: ReadonlySet<ErrorCode> = new Set([
  "USAGE",
  "CONFIG",
  "ARGUMENT",
  "UNKNOWN_WIDTH",
  "NOT_GROWABLE",
  "NOT_SHRINKABLE",
]);

export function exitCodeOf(error: unknown): number {
  if (error instanceof EspalierError && error.code === "NOT_PRESERVED") return exitCodes.different;
  return error instanceof EspalierError && usageErrors.has(error.code) ? exitCodes.usage : exitCodes.failure;
}

export function exitCodeOfSignal(signal: "SIGINT" | "SIGTERM" | "SIGPIPE"): number {
  return exitCodes[signal];
}
