/** Names that are used once. Asking for the same name many times needs no search each time. */
export class UniqueNames {
  readonly #used: Set<string>;
  /** Number of the last variant of a wanted name. */
  readonly #variants = new Map<string, number>();

  constructor(used: Iterable<string> = []) {
    this.#used = new Set(used);
  }

  /** `wanted`, or `wanted_2` and so on if it is taken; from now on the result is taken. */
  take(wanted: string): string {
    let name = wanted;
    let count = this.#variants.get(wanted) ?? 1;
    while (this.#used.has(name)) name = `${wanted}_${++count}`;
    this.#variants.set(wanted, count);
    this.#used.add(name);
    return name;
  }
}
