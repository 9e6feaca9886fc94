import { type ErrorCode, EspalierError } from "./errors.ts";

/**
 * The message for a name that is not in a list: the known names, and which one was probably meant. `more` is appended.
 */
export function unknownName(
  code: ErrorCode,
  thing: string,
  received: unknown,
  names: readonly string[],
  more?: string,
): EspalierError {
  const meant = typeof received === "string" ? didYouMean(received, names) : undefined;
  const choice = meant ?? (names.length === 0 ? undefined : "Choose one of these.");
  const remedy = [choice, more].filter((part) => part !== undefined).join(" ");
  return new EspalierError(code, {
    thing,
    rule:
      names.length === 0 ? "must be a known name, but there are none" : `must be one of ${names.join(", ")}`,
    received,
    ...(remedy === "" ? {} : { remedy }),
  });
}

/** "Did you mean digits?"; undefined if no name is near. */
export function didYouMean(text: string, names: readonly string[]): string | undefined {
  const meant = nearest(text, names);
  return meant === undefined ? undefined : `Did you mean ${meant}?`;
}

/**
 * The name that `text` was probably meant to be: one that it abbreviates ("mse" for meanSquaredError), is a part of or
 * contains ("digit"), or misspells by at most a third of its letters. Undefined if there is none.
 */
export function nearest(text: string, names: readonly string[]): string | undefined {
  const typed = plain(text);
  if (typed === "") return undefined;
  const abbreviated = names.find((name) => initials(name) === typed);
  if (abbreviated !== undefined) return abbreviated;
  const ranked = names
    .map((name) => ({ name, edits: edits(typed, plain(name)) }))
    .filter(({ name, edits }) => edits <= Math.max(typed.length, plain(name).length) / 3)
    .sort((a, b) => a.edits - b.edits);
  if (ranked[0] !== undefined) return ranked[0].name;
  // A part of a name means something only if it is unlikely by chance: one letter is in most names.
  return names.find((name) => {
    const whole = plain(name);
    return (typed.length >= 3 && whole.startsWith(typed)) || (whole.length >= 3 && typed.startsWith(whole));
  });
}

const plain = (name: string) => name.toLowerCase().replaceAll(/[-_ ]/g, "");

/** "mse" for meanSquaredError, "rr" for round-robin; empty for a name of one word. */
function initials(name: string): string {
  const words = name.split(/[-_ ]|(?=[A-Z])/).filter((word) => word !== "");
  return words.length < 2
    ? ""
    : words
        .map((word) => word[0])
        .join("")
        .toLowerCase();
}

/** Letters to insert, delete, change or swap with their neighbor (Damerau's distance) to turn one text into the other. */
function edits(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let row = 1; row <= a.length; row++) {
    const next = [row];
    for (let at = 1; at <= b.length; at++) {
      const same = a[row - 1] === b[at - 1];
      const swapped = row > 1 && at > 1 && a[row - 1] === b[at - 2] && a[row - 2] === b[at - 1];
      next[at] = Math.min(
        (last[at] as number) + 1,
        (next[at - 1] as number) + 1,
        (last[at - 1] as number) + (same ? 0 : 1),
        swapped ? (before[at - 2] as number) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, last] = [last, next];
  }
  return last[b.length] as number;
}
