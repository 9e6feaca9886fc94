/** Milliseconds that a page can wait without a visible pause: half a frame. */
const interval = 8;

/**
 * Yields to the page, by `turn`, whenever 8 ms have passed since the last time, so that it draws and handles clicks while a
 * network trains on its main thread. Without `turn`, as in Node, it does nothing.
 */
export function pacer(
  turn: (() => Promise<void>) | undefined,
  now: () => number = () => performance.now(),
): () => Promise<void> | undefined {
  if (turn === undefined) return () => undefined;
  let last = now();
  return async () => {
    if (now() - last < interval) return;
    await turn();
    last = now();
  };
}
