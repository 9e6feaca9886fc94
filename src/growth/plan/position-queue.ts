/** Positions still to be visited, lowest first, each once. */
export class PositionQueue {
  /** A binary heap: no position is below that at half its index. */
  readonly #heap: number[] = [];
  readonly #waiting = new Set<number>();

  add(position: number): void {
    if (this.#waiting.has(position)) return;
    this.#waiting.add(position);
    const heap = this.#heap;
    let at = heap.push(position) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as number) <= position) break;
      heap[at] = heap[parent] as number;
      at = parent;
    }
    heap[at] = position;
  }

  /** Removes and returns the lowest; undefined if none is left. */
  take(): number | undefined {
    const heap = this.#heap;
    const [lowest] = heap;
    const last = heap.pop();
    if (lowest === undefined || last === undefined) return undefined;
    this.#waiting.delete(lowest);
    if (heap.length === 0) return lowest;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child++;
      if (child >= heap.length || (heap[child] as number) >= last) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = last;
    return lowest;
  }
}
