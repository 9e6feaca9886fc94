import { EspalierError } from "../../tensor/errors.ts";

/** Throws `ARGUMENT` unless every value is a positive integer. */
export function requirePositive(values: Readonly<Record<string, number>>): void {
  for (const [thing, received] of Object.entries(values)) {
    if (Number.isInteger(received) && received > 0) continue;
    throw new EspalierError("ARGUMENT", { thing, rule: "must be a positive integer", received });
  }
}

/** Throws `ARGUMENT` unless every value is a finite number, zero or more. */
export function requireNotNegative(values: Readonly<Record<string, number>>): void {
  for (const [thing, received] of Object.entries(values)) {
    if (Number.isFinite(received) && received >= 0) continue;
    throw new EspalierError("ARGUMENT", { thing, rule: "must be a finite number, at least 0", received });
  }
}
