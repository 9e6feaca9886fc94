import { EspalierError } from "./errors.ts";
import { unknownName } from "./unknown-name.ts";

/** Every option of a call, once. A list that lacks one, or has an unknown one, does not compile. */
export type OptionNames<Options extends object> = { readonly [Name in keyof Required<Options>]: true };

/**
 * Makes sure that a call from JavaScript got its options as an object without unknown names: a misspelled option would
 * be silently ignored. Throws `ARGUMENT` with the nearest name.
 */
export function checkOptionNames<Options extends object>(
  call: string,
  options: Options,
  names: OptionNames<Options>,
): void {
  const known = Object.keys(names);
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new EspalierError("ARGUMENT", {
      thing: call,
      rule: `takes its options as an object with some of ${known.join(", ")}`,
      received: options,
    });
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (unknown === undefined) return;
  throw unknownName("ARGUMENT", `option of ${call}`, unknown, known);
}
