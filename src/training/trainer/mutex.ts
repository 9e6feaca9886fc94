/**
 * One piece of work at a time, in the order of asking. Without it a growth or an evaluation that nobody awaited would
 * find the weights of half a training step.
 */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  /** Waits for the work before, whether that succeeded or not. Work must not ask for a turn and await it. */
  take<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
