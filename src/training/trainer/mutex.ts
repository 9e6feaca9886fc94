/**
 * One piece of work at a time, in the order of requests. Without it a growth or an evaluation that nobody awaited would
 * see the weights in the middle of a training step.
 */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  /** Waits for the work before it, whether that succeeds or not. Work must not itself request a turn and await it. */
  take<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
