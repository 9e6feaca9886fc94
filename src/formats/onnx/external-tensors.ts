import { EspalierError } from "../../tensor/errors.ts";
import { isPlainName } from "./external.ts";

/** Tensors of at least this many bytes leave the model's file. */
const minBytes = 1024;

/** Offsets are multiples of this: a page of memory, as ONNX recommends. */
const page = 4096;

/** Lays tensors out in a separate file while the model that refers to them is written. */
export class ExternalTensors {
  readonly #file: string;
  readonly #tensors: Uint8Array[] = [];
  #end = 0;

  /** Throws `ARGUMENT` if `file` is not a plain name. */
  constructor(file: string) {
    if (!isPlainName(file)) {
      const rule = "must be a plain file name without folders";
      throw new EspalierError("ARGUMENT", { thing: "file of external data", rule, received: file });
    }
    this.#file = file;
  }

  takes(bytes: Uint8Array): boolean {
    return bytes.length >= minBytes;
  }

  /** Adds a tensor; returns its location as entries of TensorProto's `external_data`. */
  add(bytes: Uint8Array): readonly (readonly [key: string, value: string])[] {
    const offset = nextPage(this.#end);
    this.#tensors.push(bytes);
    this.#end = offset + bytes.length;
    return [
      ["location", this.#file],
      ["offset", String(offset)],
      ["length", String(bytes.length)],
    ];
  }

  /** The file, in pieces. */
  *chunks(): Generator<Uint8Array> {
    let end = 0;
    for (const bytes of this.#tensors) {
      const offset = nextPage(end);
      if (offset > end) yield new Uint8Array(offset - end);
      yield bytes;
      end = offset + bytes.length;
    }
  }
}

function nextPage(offset: number): number {
  return Math.ceil(offset / page) * page;
}
