import { EspalierError } from "../tensor/errors.ts";
import { visible } from "./format.ts";

/** An error for people: what, which rule, what was received, what to do; the stack only where `debug` asks for it. */
export function errorText(error: unknown, debug: boolean): string {
  const stack = debug && error instanceof Error ? `\n${error.stack ?? ""}${causes(error)}\n` : "";
  if (!(error instanceof EspalierError)) {
    const message = error instanceof Error ? error.message : String(error);
    const hint = debug ? "" : "  remedy    Run again with --debug to see where this comes from.\n";
    return `espalier: ${message}\n${hint}${stack}`;
  }
  // Names and rules may come out of a file.
  const lines = [`espalier: ${error.code}: ${visible(error.thing)}`, `  rule      ${visible(error.rule)}`];
  if (error.received !== undefined) lines.push(`  received  ${printed(error.received)}`);
  if (error.remedy !== undefined) lines.push(`  remedy    ${visible(error.remedy)}`);
  return `${lines.join("\n")}\n${stack}`;
}

function causes(error: Error): string {
  return error.cause instanceof Error ? `\ncaused by ${error.cause.stack}${causes(error.cause)}` : "";
}

function printed(value: unknown): string {
  // Quoted where it could not be seen, or would command the terminal.
  const plain = typeof value === "string" && value !== "" && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value);
  const text = plain ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
