import type { DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { PythonTuple, storageTypes, TorchTensor, type TorchValue } from "./value.ts";

const storageNames = new Map<DType, string>([...storageTypes].map(([name, dtype]) => [dtype, name]));

/**
 * State as a pickle of protocol 2, as `torch.save` would write it except that nothing is memoized. Every tensor must be
 * a whole storage. Throws `UNSUPPORTED_TYPE` for a tensor of a type that torch's old storages do not have.
 */
export function pickle(value: TorchValue): Uint8Array {
  const writer = new Pickler();
  writer.byte(0x80, 2);
  writer.value(value);
  writer.byte(46);
  return writer.bytes();
}

class Pickler {
  #bytes = new Uint8Array(1024);
  #length = 0;

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  byte(...bytes: readonly number[]): void {
    this.#put(Uint8Array.from(bytes));
  }

  value(value: TorchValue): void {
    if (value === null) this.byte(78);
    else if (typeof value === "boolean") this.byte(value ? 136 : 137);
    else if (typeof value === "bigint") this.#integer(value);
    else if (typeof value === "number") this.#number(71, 8, (view) => view.setFloat64(0, value));
    else if (typeof value === "string") this.#text(value);
    else if (value instanceof PythonTuple) this.#tuple(value.items);
    else if (value instanceof TorchTensor) this.#tensor(value);
    else if (isList(value)) this.#marked(93, 101, value);
    else this.#marked(125, 117, [...value].flat(1) as readonly TorchValue[]);
  }

  /** An empty container, and the items that fill it. */
  #marked(empty: number, fill: number, items: readonly TorchValue[]): void {
    this.byte(empty);
    if (items.length === 0) return;
    this.byte(40);
    for (const item of items) this.value(item);
    this.byte(fill);
  }

  #tuple(items: readonly TorchValue[]): void {
    if (items.length === 0) {
      this.byte(41);
      return;
    }
    this.byte(40);
    for (const item of items) this.value(item);
    this.byte(116);
  }

  #integer(value: bigint): void {
    if (BigInt.asIntN(32, value) === value) {
      this.#number(74, 4, (view) => view.setInt32(0, Number(value), true));
    } else {
      this.byte(138);
      this.#number(8, 8, (view) => view.setBigInt64(0, value, true));
    }
  }

  #text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#number(88, 4, (view) => view.setUint32(0, bytes.length, true));
    this.#put(bytes);
  }

  #global(module: string, name: string): void {
    this.#put(new TextEncoder().encode(`c${module}\n${name}\n`));
  }

  #tensor({ dtype, dims, storage }: TorchTensor): void {
    const name = storageNames.get(dtype);
    if (name === undefined) {
      throw new EspalierError("UNSUPPORTED_TYPE", {
        thing: "torch file",
        rule: `must have tensors of ${[...storageNames.keys()].join(", ")}`,
        received: dtype,
      });
    }
    this.#global("torch._utils", "_rebuild_tensor_v2");
    this.byte(40, 40);
    this.#text("storage");
    this.#global("torch", name);
    this.#text(storage);
    this.#text("cpu");
    this.#integer(BigInt(sizeOf(dims)));
    this.byte(116, 81);
    this.#integer(0n);
    this.#tuple(dims.map(BigInt));
    this.#tuple(dims.map((_, axis) => BigInt(sizeOf(dims.slice(axis + 1)))));
    this.byte(137);
    this.#global("collections", "OrderedDict");
    // Empty tuple, REDUCE; TUPLE, REDUCE.
    this.byte(41, 82, 116, 82);
  }

  #number(opcode: number, count: number, write: (view: DataView) => void): void {
    const bytes = new Uint8Array(count);
    write(new DataView(bytes.buffer));
    this.byte(opcode);
    this.#put(bytes);
  }

  #put(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.#length + bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}

const isList = (value: TorchValue): value is readonly TorchValue[] => Array.isArray(value);
