import { freeBuffers } from "../../tensor/free-buffers.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Bytes from which waiting for the garbage collector costs too much. */
const large = 2 ** 20;

/** Tensors that one growth makes and a later one replaces: the next matrix would often not fit beside them. */
export class PassingTensors {
  readonly #buffers = new Set<ArrayBufferLike>();

  /** Notes the tensors that a growth has made, but not those that the graph had before. */
  made(tensors: ReadonlyMap<string, Tensor>, before: ReadonlyMap<string, Tensor>): void {
    for (const { data } of tensors.values()) {
      if (data.byteLength < large || data.byteLength < data.buffer.byteLength) continue;
      if (!isUsed(data.buffer, before)) this.#buffers.add(data.buffer);
    }
  }

  /** Frees those of `replaced` that were noted and that no parameter uses now. */
  free(replaced: readonly (Tensor | undefined)[], parameters: ReadonlyMap<string, Tensor>): void {
    for (const buffer of new Set(replaced.map((tensor) => tensor?.data.buffer))) {
      if (buffer === undefined || !this.#buffers.has(buffer) || isUsed(buffer, parameters)) continue;
      this.#buffers.delete(buffer);
      freeBuffers([buffer as ArrayBuffer]);
    }
  }
}

function isUsed(buffer: ArrayBufferLike, parameters: ReadonlyMap<string, Tensor>): boolean {
  for (const { data } of parameters.values()) if (data.buffer === buffer) return true;
  return false;
}
