import type { Feeds } from "../../engine/session.ts";
import { evaluateDim } from "../../graph/dim.ts";
import type { Graph, Model, Value } from "../../graph/model.ts";
import { allocate, type DType, isFloat } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { toFloat16 } from "../../tensor/float16.ts";
import { Random } from "../../tensor/random.ts";
import { makeTensor, sizeOf, type Tensor, textTensor } from "../../tensor/tensor.ts";
import type { Sizes } from "../settings/task-options.ts";
import { type Domain, domainsFor, standard } from "./domains.ts";
import { type InputFacts, inputFacts, tableLengths } from "./input-facts.ts";

export type { Sizes };

/** Values to give to inputs, by name: as many as the input has entries, or fewer, which are repeated. */
export type GivenValues = Readonly<Record<string, readonly (number | string)[]>>;

/**
 * Seeded inputs of a model for given sizes of its symbolic axes, based on its input types and on how its
 * graph uses them: real numbers are drawn from a {@link Domain}; integers that index a table are within its
 * range; integers that are compared with constants are drawn from these constants; bytes are arbitrary; any
 * other integer or boolean input is a mask, 1 up to some position of the last axis and 0 after it, or ones,
 * or small numbers. Throws `UNSUPPORTED_TYPE` for bfloat16, which ONNX Runtime does not accept from
 * JavaScript.
 */
export class SampleInputs {
  readonly #inputs: readonly Value[];
  readonly #facts: ReadonlyMap<string, InputFacts>;
  readonly #given: GivenValues;
  /** Lengths at which the model uses all of a table of which it otherwise takes only a part as long as its inputs. */
  readonly lengths: readonly number[];

  /** `other` is a model that takes the same inputs: how it uses them counts too, and values where it differs are tried. */
  constructor(model: Model, given: GivenValues = {}, other: Model = model) {
    // A parameter may be listed as an input too (ONNX IR 3).
    this.#inputs = model.graph.inputs.filter(({ name }) => !model.graph.parameters.has(name));
    this.#facts = factsOfBoth(model.graph, other.graph);
    this.#given = given;
    this.lengths = tableLengths(model.graph);
  }

  /** Names of the symbolic axes, in the order in which the inputs mention them. */
  get symbols(): readonly string[] {
    const names = this.#inputs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === "string"));
    return [...new Set(names)];
  }

  /** The symbols of first axes: they count examples. */
  get batchSymbols(): ReadonlySet<string> {
    return new Set(this.#inputs.flatMap(({ shape: [first] }) => (typeof first === "string" ? [first] : [])));
  }

  /** Ways to draw inputs that are worth trying; none if no input is free to be drawn. */
  get domains(): readonly Domain[] {
    return domainsFor(this.#facts.values(), this.#inputs.filter(({ dtype }) => isFloat(dtype)).length);
  }

  make(sizes: Sizes, seed: number, domain: Domain = standard): Feeds {
    return Object.fromEntries(
      this.#inputs.map((value, index) => {
        const dims = value.shape.map((dim) => evaluateDim(dim, new Map(Object.entries(sizes))) ?? 1);
        const given = this.#given[value.name];
        if (given !== undefined) return [value.name, filled(value, dims, given)];
        const draws = new Random(seed, `sample ${value.name}`, domain.variant);
        return [value.name, this.#tensor(value, dims, draws, domain, index)];
      }),
    );
  }

  #tensor(
    { name, dtype }: Value,
    dims: readonly number[],
    draws: Random,
    domain: Domain,
    at: number,
  ): Tensor {
    const facts = this.#facts.get(name) as InputFacts;
    const count = sizeOf(dims);
    if (isFloat(dtype)) return numbers(name, dtype, dims, () => domain.real(draws, at));
    if (dtype === "string") {
      const known = facts.texts.length > 0 ? facts.texts : ["", "a", "word", "Two words", "42"];
      return textTensor(
        dims,
        Array.from({ length: count }, () => known[draws.integer(known.length)] as string),
      );
    }
    // Several integer inputs should not always be drawn in the same way.
    const variant = domain.variant === 0 ? 0 : domain.variant + at;
    return numbers(name, dtype, dims, integers(dtype, dims, draws, facts, variant));
  }
}

/** How two graphs use the same inputs; facts that are true of only one of them come first. */
function factsOfBoth(graph: Graph, other: Graph): ReadonlyMap<string, InputFacts> {
  const facts = inputFacts(graph);
  if (graph === other) return facts;
  const others = inputFacts(other);
  return new Map(
    [...facts].map(([name, own]) => {
      const their = others.get(name) ?? own;
      const rows = own.tables.flatMap((table) => differingRows(graph, other, table));
      const constants = [...differing(own.constants, their.constants), ...own.constants, ...rows];
      const texts = [...new Set([...own.texts, ...their.texts])];
      return [name, { ...own, constants: [...new Set(constants)], texts }];
    }),
  );
}

/** At most this many of a table's differing rows are tried, evenly spaced. */
const mostRows = 16;

/** Some rows in which two tables of the same size differ; none if all rows differ. */
function differingRows(graph: Graph, other: Graph, table: string): readonly number[] {
  const [a, b] = [graph.parameters.get(table), other.parameters.get(table)];
  if (a === undefined || b === undefined || a.dims.join() !== b.dims.join()) return [];
  const [count = 0] = a.dims;
  const width = a.data.length / count;
  const rows = Array.from({ length: count }, (_, row) => row).filter((row) => {
    for (let at = row * width; at < (row + 1) * width; at++) if (a.data[at] !== b.data[at]) return true;
    return false;
  });
  if (rows.length === count) return [];
  const step = Math.ceil(rows.length / mostRows);
  return rows.filter((_, index) => index % step === 0);
}

function differing<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  return [...b.filter((one) => !a.includes(one)), ...a.filter((one) => !b.includes(one))];
}

/** How to draw the integers of an input, one after another. */
function integers(
  dtype: DType,
  dims: readonly number[],
  draws: Random,
  { table, constants }: InputFacts,
  variant: number,
): (index: number) => number {
  const whole = constants.filter(Number.isInteger);
  const range = ranges[dtype];
  const picked = whole.filter((value) => table === undefined || (value >= 0 && value < table));
  const length = dims.at(-1) ?? 1;
  const filledTo = 1 + Math.floor(draws.uniform() * length);
  if (table !== undefined) {
    // Tokens that the model treats specially (padding, the end of a text) are occasionally among them.
    const known = () => picked[draws.integer(picked.length)] as number;
    const rare = variant > 0 && picked.length > 0;
    return () => (rare && draws.uniform() < 0.25 ? known() : Math.floor(draws.uniform() * table));
  }
  if (picked.length > 0 && dtype !== "bool") {
    if (dims.every((size) => size === 1)) return () => picked[variant % picked.length] as number;
    const near = picked.flatMap((value) => [value, value, value + 1, value - 1]);
    return () => near[draws.integer(near.length)] as number;
  }
  if (range !== undefined) {
    const [least, count] = variant % 3 === 1 ? [0, 16] : range;
    return variant % 3 === 2
      ? () => least + draws.integer(2) * (count - 1)
      : () => least + draws.integer(count);
  }
  const kinds: readonly ((index: number) => number)[] = [
    (index) => Number(index % length < filledTo),
    () => draws.integer(2),
    () => 1,
    () => (dtype === "bool" ? draws.integer(2) : draws.integer(10)),
  ];
  return kinds[variant % kinds.length] as (index: number) => number;
}

/** Types of pixels or quantized numbers: the least value and the number of values. */
const ranges: { readonly [D in DType]?: readonly [number, number] } = {
  uint8: [0, 256],
  int8: [-128, 256],
  uint16: [0, 65_536],
};

/** A tensor of the numbers that `draw` returns, in the order of its entries. */
function numbers(
  name: string,
  dtype: DType,
  dims: readonly number[],
  draw: (index: number) => number,
): Tensor {
  if (dtype === "bfloat16") {
    throw new EspalierError("UNSUPPORTED_TYPE", {
      thing: `input "${name}"`,
      rule: "must have a type that ONNX Runtime accepts from JavaScript",
      received: dtype,
      remedy: "Export the model with a float32 input followed by a Cast.",
    });
  }
  const data = allocate(dtype, sizeOf(dims));
  for (let index = 0; index < data.length; index++) {
    const value = draw(index);
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[index] = BigInt(value);
    else data[index] = dtype === "float16" ? toFloat16(value) : value;
  }
  return makeTensor(dtype, dims, data);
}

/** An input of given values. Throws `USAGE` for a text instead of a number. */
function filled(
  { name, dtype }: Value,
  dims: readonly number[],
  given: readonly (number | string)[],
): Tensor {
  const at = (index: number) => given[index % given.length] as number | string;
  if (dtype === "string")
    return textTensor(
      dims,
      Array.from({ length: sizeOf(dims) }, (_, i) => String(at(i))),
    );
  const wrong = given.find(
    (value) => typeof value === "string" || (!isFloat(dtype) && !Number.isInteger(value)),
  );
  if (wrong === undefined) return numbers(name, dtype, dims, (index) => at(index) as number);
  throw new EspalierError("USAGE", {
    thing: `the value of input "${name}"`,
    rule: `must be ${isFloat(dtype) ? "a number" : "a whole number"}, for the input is ${dtype}`,
    received: wrong,
  });
}
