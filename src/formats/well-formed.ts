/** Half of a surrogate pair alone: not a character, and not UTF-8. */
const loneSurrogate = /\p{Surrogate}/u;

/** Whether text can be written as UTF-8 and read back the same. */
export function isWellFormed(text: string): boolean {
  return !loneSurrogate.test(text);
}
