import { EspalierError } from "../../tensor/errors.ts";
import { visible } from "./format.ts";

/**
 * An error for people: a sentence, what was received, what to do, and the code last; the stack only if `debug` asks for
 * it.
 */
export function errorText(error: unknown, debug: boolean): string {
  const stack = debug && error instanceof Error ? `\n${error.stack ?? ""}${causes(error)}\n` : "";
  // Names and rules may come from a file.
  const lines = [`espalier: ${visible(sentence(error))}`];
  if (error instanceof EspalierError) {
    if (error.received !== undefined) lines.push(`  received  ${printed(error.received)}`);
    if (error.remedy !== undefined) lines.push(`  remedy    ${visible(error.remedy)}`);
    lines.push(`  code      ${error.code}`);
  } else if (!debug) lines.push(`  remedy    ${debugRemedy}`);
  return `${lines.join("\n")}\n${stack}`;
}

/** The same for programs: the document that a command prints on stdout under `--json`. */
export function errorJson(error: unknown): object {
  const known = error instanceof EspalierError;
  return {
    error: {
      code: known ? error.code : "UNEXPECTED",
      message: sentence(error),
      thing: known ? error.thing : null,
      rule: known ? error.rule : null,
      received: known ? jsonValue(error.received) : null,
      remedy: known ? (error.remedy ?? null) : debugRemedy,
    },
  };
}

/** The single document of a command under `--json`: its result, and the error that it ends with, if any. */
export function resultJson(result: object, error?: EspalierError): string {
  return `${JSON.stringify({ ...result, ...(error === undefined ? {} : errorJson(error)) }, null, 2)}\n`;
}

const debugRemedy = "Run again with --debug for a stack trace.";

/** Words that begin a rule whose subject is the thing: "--steps must be a whole number". */
const predicates =
  /^(must|needs?|may|can|cannot|is|are|has|have|was|were|does|do|accepts?|expects?|takes?|holds?|goes|go|lies|states|makes?|looks|grows?|overlaps|exists?|excludes?|brings|leaves|ends|begins|names|asks|belongs|comes|contains|lacks|moves?|reads?|stops?|uses?|wants|will|would|could|did|had|keeps|allows|gives|changes|became|got)\b/;

function sentence(error: unknown): string {
  if (!(error instanceof EspalierError)) return error instanceof Error ? error.message : String(error);
  const { thing, rule } = error;
  return `${thing}${predicates.test(rule) ? "" : ":"} ${rule}${/[.!?]$/.test(rule) ? "" : "."}`;
}

function causes(error: Error): string {
  return error.cause instanceof Error ? `\ncaused by ${error.cause.stack}${causes(error.cause)}` : "";
}

function printed(value: unknown): string {
  // Quoted if it would be invisible, or would control the terminal.
  const plain = typeof value === "string" && value !== "" && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value);
  const text = plain ? value : (JSON.stringify(jsonValue(value)) ?? String(value));
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** The value that an error received, as far as JSON can represent it; null if there was none. */
function jsonValue(value: unknown): unknown {
  if (value === undefined) return null;
  if (value instanceof Error) return value.message;
  try {
    return JSON.parse(JSON.stringify(value, (_, part) => (isJson(part) ? part : String(part))));
  } catch {
    return String(value);
  }
}

function isJson(value: unknown): boolean {
  return typeof value !== "bigint" && !(typeof value === "number" && !Number.isFinite(value));
}
