/** Lists by key. */
export class Lists<T> {
  readonly #lists = new Map<string, T[]>();

  add(key: string, item: T): void {
    const list = this.#lists.get(key);
    if (list === undefined) this.#lists.set(key, [item]);
    else list.push(item);
  }

  at(key: string): readonly T[] {
    return this.#lists.get(key) ?? [];
  }

  has(key: string): boolean {
    return this.#lists.has(key);
  }

  keys(): IterableIterator<string> {
    return this.#lists.keys();
  }
}
