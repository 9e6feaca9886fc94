/** Every code that an {@link EspalierError} can carry. Codes are stable: programs may match on them. */
export type ErrorCode =
  | "ARGUMENT"
  | "FILE_MISSING"
  | "FORMAT"
  | "TOO_LARGE"
  | "UNSUPPORTED_OPERATOR"
  | "UNSUPPORTED_TYPE"
  | "INVALID_MODEL"
  | "SHAPE_MISMATCH"
  | "UNKNOWN_WIDTH"
  | "NOT_GROWABLE"
  | "NOT_SHRINKABLE"
  | "NOT_PRESERVED"
  | "LABEL_RANGE"
  | "EMPTY_DATA"
  | "CSV"
  | "IDX"
  | "CHECKPOINT_CORRUPT"
  | "CHECKPOINT_MISSING"
  | "OUTPUT_EXISTS"
  | "DIVERGED"
  | "BUSY"
  | "ENGINE"
  | "PLATFORM"
  | "CONFIG"
  | "USAGE";

export interface ErrorParts {
  /** What the error is about: a file, a parameter, a width, an option. */
  readonly thing: string;
  /** The rule that was broken. */
  readonly rule: string;
  /** The value received, printed. */
  readonly received?: unknown;
  /** What the caller can do about it. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** The one error class of the project: it names the thing, the rule, the value received and the remedy. */
export class EspalierError extends Error {
  readonly code: ErrorCode;
  readonly thing: string;
  readonly rule: string;
  readonly received: unknown;
  readonly remedy: string | undefined;

  constructor(code: ErrorCode, parts: ErrorParts) {
    const received = "received" in parts ? `, got ${print(parts.received)}` : "";
    const remedy = parts.remedy === undefined ? "" : ` ${parts.remedy}`;
    super(`${parts.thing}: ${parts.rule}${received}.${remedy}`, { cause: parts.cause });
    this.name = "EspalierError";
    this.code = code;
    this.thing = parts.thing;
    this.rule = parts.rule;
    this.received = parts.received;
    this.remedy = parts.remedy;
  }
}

function print(value: unknown): string {
  if (typeof value === "string") return value.length > 200 ? `"${value.slice(0, 200)}…"` : `"${value}"`;
  if (typeof value === "bigint" || value instanceof Error) return String(value);
  try {
    const text = JSON.stringify(value);
    return text === undefined ? String(value) : text.length > 200 ? `${text.slice(0, 200)}…` : text;
  } catch {
    return String(value);
  }
}
