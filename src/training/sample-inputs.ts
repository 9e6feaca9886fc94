import type { Feeds } from "../engine/session.ts";
import { evaluateDim } from "../graph/dim.ts";
import type { Model, Value } from "../graph/model.ts";
import { isSupported, operatorOf } from "../ops/index.ts";
import { inferTypes } from "../ops/infer.ts";
import { Call } from "../ops/operator.ts";
import { EspalierError } from "../tensor/errors.ts";
import { Random } from "../tensor/random.ts";
import { makeTensor, sizeOf, type Tensor } from "../tensor/tensor.ts";

/** Sizes of a model's symbolic axes, by name. */
export type Sizes = Readonly<Record<string, number>>;

/**
 * Seeded inputs of a model for given sizes of its symbolic axes, made from its own input types: standard normal floats;
 * integers that are looked up in a table lie within it; any other integer or truth value is a mask, 1 up to some
 * position of the last axis and 0 behind it. Throws `UNSUPPORTED_TYPE` for inputs of other types.
 */
export class SampleInputs {
  readonly #inputs: readonly Value[];
  readonly #limits: ReadonlyMap<string, number>;

  constructor(model: Model) {
    // A parameter may be listed as an input too (ONNX IR 3).
    this.#inputs = model.graph.inputs.filter(({ name }) => !model.graph.parameters.has(name));
    this.#limits = tableSizes(model);
  }

  /** Names of the symbolic axes, in the order in which the inputs mention them. */
  get symbols(): readonly string[] {
    const names = this.#inputs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === "string"));
    return [...new Set(names)];
  }

  make(sizes: Sizes, seed: number): Feeds {
    return Object.fromEntries(
      this.#inputs.map((value) => [value.name, this.#tensor(value, new Map(Object.entries(sizes)), seed)]),
    );
  }

  #tensor(value: Value, sizes: ReadonlyMap<string, number>, seed: number): Tensor {
    const dims = value.shape.map((dim) => evaluateDim(dim, sizes) ?? 1);
    const draws = new Random(seed, `sample ${value.name}`);
    const { dtype } = value;
    const count = sizeOf(dims);
    if (dtype === "float32" || dtype === "float64") {
      const data = dtype === "float32" ? new Float32Array(count) : new Float64Array(count);
      for (let index = 0; index < count; index++) data[index] = draws.normal();
      return makeTensor(dtype, dims, data);
    }
    const limit = this.#limits.get(value.name);
    const length = dims.at(-1) ?? 1;
    const filled = 1 + Math.floor(draws.uniform() * length);
    const integer = (index: number) =>
      limit === undefined ? Number(index % length < filled) : Math.floor(draws.uniform() * limit);
    const numbers = Array.from({ length: count }, (_, index) => integer(index));
    if (dtype === "int64") return makeTensor(dtype, dims, BigInt64Array.from(numbers, BigInt));
    if (dtype === "int32") return makeTensor(dtype, dims, Int32Array.from(numbers));
    if (dtype === "bool")
      return makeTensor(
        dtype,
        dims,
        Uint8Array.from(numbers, (n) => Number(n > 0)),
      );
    throw new EspalierError("UNSUPPORTED_TYPE", {
      thing: `input "${value.name}"`,
      rule: "must be float32, float64, int32, int64 or bool to be sampled",
      received: dtype,
    });
  }
}

/** For each integer input that is looked up: the size of the smallest table. */
function tableSizes(model: Model): ReadonlyMap<string, number> {
  const { graph } = model;
  const types = inferTypes(graph);
  const sources = new Map<string, readonly string[]>();
  const limits = new Map<string, number>();
  const isInteger = (name: string) => /^u?int/.test(types.get(name)?.dtype ?? "");
  for (const { name } of graph.inputs) if (isInteger(name)) sources.set(name, [name]);
  for (const node of graph.nodes) {
    if (!isSupported(node) || node.inputs.some((name) => name !== "" && !types.has(name))) continue;
    const call = new Call(
      node,
      (name) => types.get(name),
      (name) => graph.parameters.get(name),
    );
    for (const { input, size } of operatorOf(node).positions?.(call) ?? []) {
      if (typeof size !== "number") continue;
      for (const source of sources.get(node.inputs[input] ?? "") ?? []) {
        limits.set(source, Math.min(size, limits.get(source) ?? Number.POSITIVE_INFINITY));
      }
    }
    const from = [...new Set(node.inputs.flatMap((name) => sources.get(name) ?? []))];
    for (const name of node.outputs) if (from.length > 0 && isInteger(name)) sources.set(name, from);
  }
  return limits;
}
