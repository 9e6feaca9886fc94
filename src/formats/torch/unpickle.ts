import type { DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { PythonTuple, storageTypes, TorchTensor, type TorchValue } from "./value.ts";

/** Most lists, tuples and dictionaries that a pickle may make. A tensor takes six. */
const maxContainers = 2 ** 20;
/** How deep the result may be nested, and how many values it may have, shared ones counted each time. */
const maxDepth = 16;
const maxValues = 2 ** 22;

const thing = "data.pkl";

/** The supported names. None is looked up anywhere, and nothing is called. */
type Global = { readonly global: "OrderedDict" | "rebuildTensor" } | { readonly global: DType };
type Storage = { readonly storage: string; readonly dtype: DType; readonly size: number };
/** What may be on the stack; the final result is checked to be a `TorchValue`. */
type Item =
  | null
  | boolean
  | bigint
  | number
  | string
  | PythonTuple<Item>
  | readonly Item[]
  | ReadonlyMap<string | bigint, Item>
  | TorchTensor
  | Global
  | Storage
  | typeof mark;

const mark = Symbol("mark");

/**
 * Reads a pickle of protocol 2 as `torch.save` writes it for state: numbers, text, lists, tuples, dictionaries and
 * tensors. Any other opcode or global is refused with `FORMAT`, and more than 2^20 containers with `TOO_LARGE`; nothing
 * is ever executed.
 */
export function unpickle(bytes: Uint8Array): TorchValue {
  return new Unpickler(bytes).run();
}

class Unpickler {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #stack: Item[] = [];
  /** Where each mark is on the stack. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, Item>();
  #at = 0;
  #containers = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  run(): TorchValue {
    if (this.#byte() !== 0x80 || this.#byte() !== 2) this.#refuse("must be a pickle of protocol 2");
    for (let code = this.#byte(); code !== stop; code = this.#byte()) {
      const opcode = this.#opcodes[code];
      if (opcode === undefined) {
        this.#refuse("has an opcode that torch does not write of plain state", `0x${code.toString(16)}`);
      } else opcode();
    }
    const value = this.#pop();
    if (this.#stack.length > 0) this.#refuse("must leave one value");
    if (this.#at < this.#bytes.length) this.#refuse("must end with its value");
    checkValue(value);
    return value;
  }

  /** Every supported opcode, with its name in Python's pickletools. */
  readonly #opcodes: { readonly [code: number]: () => void } = {
    // EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE
    125: () => this.#push(this.#counted(new Map())),
    93: () => this.#push(this.#counted([])),
    41: () => this.#push(this.#counted(new PythonTuple([]))),
    // MARK
    40: () => {
      this.#marks.push(this.#stack.length);
      this.#stack.push(mark);
    },
    // NONE, NEWTRUE, NEWFALSE
    78: () => this.#push(null),
    136: () => this.#push(true),
    137: () => this.#push(false),
    // BININT, BININT1, BININT2, LONG1
    74: () => this.#push(BigInt(this.#view.getInt32(this.#step(4), true))),
    75: () => this.#push(BigInt(this.#byte())),
    77: () => this.#push(BigInt(this.#view.getUint16(this.#step(2), true))),
    138: () => this.#push(this.#long(this.#byte())),
    // BINFLOAT
    71: () => this.#push(this.#view.getFloat64(this.#step(8))),
    // BINUNICODE
    88: () => this.#push(this.#text(this.#view.getUint32(this.#step(4), true))),
    // TUPLE, TUPLE1, TUPLE2, TUPLE3
    116: () => this.#pushTuple(this.#popToMark()),
    133: () => this.#pushTuple(this.#popMany(1)),
    134: () => this.#pushTuple(this.#popMany(2)),
    135: () => this.#pushTuple(this.#popMany(3)),
    // BINPUT, LONG_BINPUT, BINGET, LONG_BINGET
    113: () => this.#remember(this.#byte()),
    114: () => this.#remember(this.#view.getUint32(this.#step(4), true)),
    104: () => this.#recall(this.#byte()),
    106: () => this.#recall(this.#view.getUint32(this.#step(4), true)),
    // APPEND, APPENDS
    97: () => this.#append(this.#popMany(1)),
    101: () => this.#append(this.#popToMark()),
    // SETITEM, SETITEMS
    115: () => this.#setItems(this.#popMany(2)),
    117: () => this.#setItems(this.#popToMark()),
    // GLOBAL
    99: () => this.#push(this.#global()),
    // BINPERSID
    81: () => this.#push(this.#storage(this.#pop())),
    // REDUCE
    82: () => {
      const [callee, given] = this.#popMany(2) as [Item, Item];
      this.#push(this.#made(callee, given));
    },
  };

  #refuse(rule: string, received?: unknown): never {
    throw this.#error(rule, received);
  }

  #error(rule: string, received?: unknown): EspalierError {
    return new EspalierError("FORMAT", {
      thing: `${thing}, byte ${this.#at}`,
      rule,
      ...(received === undefined ? {} : { received }),
      remedy: "Only state that torch.save wrote, such as torch.save(optimizer.state_dict(), …), is read.",
    });
  }

  /** Skips `count` bytes, and returns where they begin. */
  #step(count: number): number {
    const from = this.#at;
    if (from + count > this.#bytes.length) this.#refuse("must not end within an opcode");
    this.#at += count;
    return from;
  }

  #byte(): number {
    return this.#bytes[this.#step(1)] as number;
  }

  #long(count: number): bigint {
    if (count > 8) this.#refuse("must have integers of at most 64 bits", count * 8);
    const from = this.#step(count);
    let value = 0n;
    for (let at = count - 1; at >= 0; at--) value = (value << 8n) | BigInt(this.#bytes[from + at] as number);
    return count === 0 ? 0n : BigInt.asIntN(8 * count, value);
  }

  #text(count: number): string {
    const from = this.#step(count);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
        this.#bytes.subarray(from, from + count),
      );
    } catch {
      return this.#refuse("must have text in UTF-8");
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0 || end - this.#at > 100) return this.#refuse("must have short names of globals");
    const text = this.#text(end - this.#at);
    this.#at++;
    return text;
  }

  #counted<C extends Item>(container: C): C {
    if (++this.#containers <= maxContainers) return container;
    throw new EspalierError("TOO_LARGE", {
      thing,
      rule: `may make at most ${maxContainers} lists, tuples and dictionaries`,
      received: this.#containers,
      remedy: "A file with this many parameters is not supported.",
    });
  }

  #push(item: Item): void {
    this.#stack.push(item);
  }

  #pushTuple(items: Item[]): void {
    this.#push(this.#counted(new PythonTuple(items)));
  }

  #pop(): Item {
    return this.#popMany(1)[0] as Item;
  }

  #popMany(count: number): Item[] {
    const floor = (this.#marks.at(-1) ?? -1) + 1;
    if (this.#stack.length - floor < count) this.#refuse("takes more from its stack than there is");
    return this.#stack.splice(this.#stack.length - count);
  }

  #popToMark(): Item[] {
    const from = this.#marks.pop();
    if (from === undefined) return this.#refuse("looks for a mark that is not there");
    return this.#stack.splice(from).slice(1);
  }

  #remember(index: number): void {
    const item = this.#stack.at(-1);
    if (item === undefined || item === mark) this.#refuse("remembers a value that is not there");
    else this.#memo.set(index, item);
  }

  #recall(index: number): void {
    const item = this.#memo.get(index);
    if (item === undefined) this.#refuse("recalls a value that it did not remember", index);
    else this.#push(item);
  }

  #append(items: Item[]): void {
    const list = this.#stack.at(-1);
    if (!Array.isArray(list)) throw this.#error("appends to something that is not a list");
    for (const item of items) list.push(item);
  }

  #setItems(items: Item[]): void {
    const dict = this.#stack.at(-1);
    if (!(dict instanceof Map)) throw this.#error("sets items of something that is not a dictionary");
    if (items.length % 2 !== 0) this.#refuse("has a key without a value");
    for (let at = 0; at < items.length; at += 2) {
      const key = items[at] as Item;
      if (typeof key !== "string" && typeof key !== "bigint") {
        throw this.#error("must have keys of text or whole numbers");
      }
      if (dict.has(key)) this.#refuse("must not set a key twice", key);
      dict.set(key, items[at + 1] as Item);
    }
  }

  #global(): Global {
    const [module, name] = [this.#line(), this.#line()];
    if (module === "collections" && name === "OrderedDict") return { global: "OrderedDict" };
    if (module === "torch._utils" && name === "_rebuild_tensor_v2") return { global: "rebuildTensor" };
    const dtype = module === "torch" ? storageTypes.get(name) : undefined;
    if (dtype !== undefined) return { global: dtype };
    return this.#refuse("asks for a function or class that plain state does not need", `${module}.${name}`);
  }

  #storage(id: Item): Storage {
    const [kind, type, name, place, size]: readonly Item[] = id instanceof PythonTuple ? id.items : [];
    const dtype = isGlobal(type) ? type.global : undefined;
    if (
      kind !== "storage" ||
      dtype === undefined ||
      dtype === "OrderedDict" ||
      dtype === "rebuildTensor" ||
      typeof name !== "string" ||
      !/^\d{1,9}$/.test(name) ||
      typeof place !== "string"
    ) {
      return this.#refuse("must name storages as torch does: kind, type, number, device, size");
    }
    return { storage: name, dtype, size: this.#whole(size) };
  }

  #made(callee: Item, given: Item): Item {
    if (!isGlobal(callee) || !(given instanceof PythonTuple))
      return this.#refuse("calls something that is not a function");
    const items: readonly Item[] = given.items;
    if (callee.global === "OrderedDict" && items.length === 0) return this.#counted(new Map());
    if (callee.global === "rebuildTensor") return this.#counted(this.#tensor(items));
    return this.#refuse("calls a class with values that torch does not give it");
  }

  #tensor(items: readonly Item[]): TorchTensor {
    const [storage, offset, dims, strides, gradient, hooks, ...rest] = items;
    if (!isStorage(storage) || typeof gradient !== "boolean" || !isEmpty(hooks) || rest.length > 0) {
      return this.#refuse("must make tensors of a storage, an offset, sizes and strides, without hooks");
    }
    const [sizes, steps, first] = [this.#wholes(dims), this.#wholes(strides), this.#whole(offset)];
    if (sizes.length !== steps.length) this.#refuse("must have a stride for each size");
    let step = 1;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      const size = sizes[axis] as number;
      if (size > 1 && steps[axis] !== step) {
        this.#refuse("must have tensors in row-major order: call .contiguous() before saving", steps);
      }
      step *= size;
    }
    if (first + sizeOf(sizes) > storage.size) {
      this.#refuse("must have tensors that fit within their storage", { sizes, offset: first });
    }
    return new TorchTensor(storage.dtype, sizes, storage.storage, first);
  }

  #wholes(item: Item | undefined): readonly number[] {
    if (!(item instanceof PythonTuple) || item.items.length > 16) {
      return this.#refuse("must have sizes and strides in tuples of at most 16");
    }
    return item.items.map((one) => this.#whole(one));
  }

  #whole(item: Item | undefined): number {
    if (typeof item === "bigint" && item >= 0n && item < 2n ** 48n) return Number(item);
    return this.#refuse("must have sizes that are whole numbers below 2^48", String(item));
  }
}

const stop = 46;

function isGlobal(item: Item | undefined): item is Global {
  return typeof item === "object" && item !== null && "global" in item;
}

function isStorage(item: Item | undefined): item is Storage {
  return typeof item === "object" && item !== null && "storage" in item && "size" in item;
}

const isEmpty = (item: Item | undefined) => item instanceof Map && item.size === 0;

/** Checks the whole result, so that code that reads it can trust it. */
function checkValue(item: Item): asserts item is TorchValue {
  let count = 0;
  const visit = (one: Item, depth: number): void => {
    if (depth > maxDepth || ++count > maxValues) {
      throw new EspalierError("FORMAT", {
        thing,
        rule:
          depth > maxDepth
            ? `must not be nested more than ${maxDepth} deep`
            : `must have at most ${maxValues} values, counted wherever they are used again`,
        remedy: "Only state that torch.save wrote is read.",
      });
    }
    if (Array.isArray(one)) for (const inner of one) visit(inner, depth + 1);
    else if (one instanceof PythonTuple) for (const inner of one.items) visit(inner, depth + 1);
    else if (one instanceof Map) for (const inner of one.values()) visit(inner, depth + 1);
    else if (one === mark || isGlobal(one) || isStorage(one)) {
      throw new EspalierError("FORMAT", {
        thing,
        rule: "must contain only values, no functions or storages",
      });
    }
  };
  visit(item, 0);
}
