let nowhere: MessagePort | undefined;

/**
 * Frees array buffers at once; their views are then empty. The garbage collector would let up to 32 MB of them pile up,
 * and leave holes in the process's memory where they were. `ArrayBuffer.prototype.transfer(0)` would be plainer, but
 * Node 20 lacks it.
 */
export function freeBuffers(buffers: ArrayBuffer[]): void {
  nowhere ??= closedPort();
  nowhere.postMessage(undefined, buffers);
}

/**
 * A port whose other end is closed: buffers transferred to it are gone (HTML, "message port post message
 * steps").
 */
function closedPort(): MessagePort {
  const { port1 } = new MessageChannel();
  port1.close();
  return port1;
}
