import { type Feeds, Session, type SessionSettings } from "../../engine/session.ts";
import { encodeModel } from "../../formats/onnx/index.ts";
import type { Model, Node } from "../../graph/model.ts";
import { roundoffOf } from "../../growth/examine/output-limits.ts";
import { isReal, realValues, writeReal } from "../../growth/plan/real-parameter.ts";
import { weightsApart } from "../../models/weights-apart.ts";
import { isSupported, operatorOf } from "../../ops/index.ts";
import type { DType } from "../../tensor/dtype.ts";
import { Random } from "../../tensor/random.ts";
import { float32, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { type ShakenWeights, shakenWeights } from "./shaken-weights.ts";

/** How often the model is perturbed: a tie that rounding decides then almost always falls each way at least once. */
const shakes = 5;

/** Unit roundoffs by which every weight and every real input is moved, up or down. */
const roundings = 16;

/** Weights with more bytes than this are perturbed again for each run, so that only one copy exists at a time. */
const keepable = 2 ** 24;

/** Draws come from a table of this size, as weights may number many millions; it is prime, so that no axis repeats them. */
const period = 4099;

interface Shakable extends Omit<ShakenWeights, "model"> {
  readonly session: Session;
}

/**
 * How far a model's outputs move when nothing but rounding changes: it is run with its weights and inputs moved by a few
 * unit roundoffs at random, which is what the rounding errors of its sums amount to (they are backward stable: Higham,
 * "Accuracy and Stability of Numerical Algorithms", §3.5). Unlike the rounding bound it is no proof, but it stays realistic
 * however deep the model is, while the bound becomes uselessly large.
 */
export class Noise {
  readonly #model: Model;
  readonly #options: SessionSettings;
  readonly #kept = new Map<number, Feeds>();
  #opened: Shakable | "none" | undefined;

  constructor(model: Model, options: SessionSettings) {
    this.#model = model;
    this.#options = options;
  }

  /**
   * The largest move of each entry of each output; infinite for entries that are finite in only some runs, and for outputs
   * that change their shape. Zero if the model cannot be run in this way.
   */
  async run(feeds: Feeds, expected: Feeds): Promise<ReadonlyMap<string, Float64Array>> {
    this.#opened ??= await this.#open();
    const noise = new Map(
      Object.entries(expected).map(([name, { dims }]) => [name, new Float64Array(sizeOf(dims))]),
    );
    if (this.#opened === "none") return noise;
    const { session, large, small, factors } = this.#opened;
    const asked = Object.fromEntries(Object.keys(expected).map((name) => [name, null]));
    for (let shake = 0; shake < shakes; shake++) {
      const drawn = [...factors].map(([name, { input, length }]): [string, Tensor] => [
        input,
        float32([length], Float32Array.from(factorsOf("float32", length, drawsOf(name, shake)))),
      ]);
      const all = {
        ...shaken(feeds, shake),
        ...this.#weights(small, shake),
        ...large,
        ...Object.fromEntries(drawn),
      };
      // The model may reject a moved constant: then this run says nothing.
      const outputs = await session.run(all, asked).catch(() => undefined);
      if (outputs === undefined) continue;
      for (const [name, before] of Object.entries(expected)) {
        widen(noise.get(name) as Float64Array, before, outputs[name] as Tensor);
      }
    }
    return noise;
  }

  async release(): Promise<void> {
    if (this.#opened !== undefined && this.#opened !== "none") await this.#opened.session.release();
  }

  #weights(weights: Feeds, shake: number): Feeds {
    const known = this.#kept.get(shake);
    if (known !== undefined) return known;
    const moved = shaken(weights, shake);
    const bytes = Object.values(moved).reduce((sum, { data }) => sum + data.byteLength, 0);
    if (bytes <= keepable) this.#kept.set(shake, moved);
    return moved;
  }

  /** Some kernels require certain small constants (quantization scales): then only tensors of two or more axes are perturbed. */
  async #open(): Promise<Shakable | "none"> {
    const fixed = literals(this.#model);
    const isFree = (name: string, tensor: Tensor) =>
      !fixed.has(name) && isTaken(tensor) && !isWholeNumber(tensor);
    const isMatrix = (name: string, tensor: Tensor) => isFree(name, tensor) && tensor.dims.length > 1;
    for (const wanted of [isFree, isMatrix]) {
      const { model, ...rest } = shakenWeights(weightsApart(this.#model, wanted), period);
      try {
        return { session: await Session.create(encodeModel(model), this.#options), ...rest };
      } catch {
        // Tried again with fewer; if that fails too, nothing is known.
      }
    }
    return "none";
  }
}

/** Like {@link Noise}, for one output that `run` computes from perturbed tensors. */
export async function noiseOf(
  expected: Tensor,
  run: (shake: (feeds: Feeds) => Feeds) => Promise<Tensor>,
): Promise<Float64Array> {
  const noise = new Float64Array(sizeOf(expected.dims));
  for (let at = 0; at < shakes; at++) widen(noise, expected, await run((feeds) => shaken(feeds, at)));
  return noise;
}

/** Whether it has a real type that ONNX Runtime accepts from JavaScript. */
function isTaken({ dtype }: Tensor): boolean {
  return isReal(dtype) && dtype !== "bfloat16";
}

/** Parameters that configure a node and are not weights, such as the scales of a Resize. */
function literals({ graph }: Model): ReadonlySet<string> {
  const always = (node: Node) => (isSupported(node) ? (operatorOf(node).literals?.always ?? []) : []);
  return new Set(graph.nodes.flatMap((node) => always(node).map((input) => node.inputs[input] ?? "")));
}

/** Whether it is a single integer: a moved exponent would turn every negative number into NaN. */
function isWholeNumber(tensor: Tensor): boolean {
  if (tensor.data.length !== 1 || !isReal(tensor.dtype)) return false;
  return Number.isInteger(realValues(tensor)[0]);
}

/** Tensors whose real numbers are some unit roundoffs larger or smaller; other types are unchanged. */
function shaken(tensors: Feeds, shake: number): Feeds {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, moved(tensor, drawsOf(name, shake))]),
  );
}

function drawsOf(name: string, shake: number): Random {
  return new Random(shake, `shaken ${name}`);
}

/** What a tensor's entries are multiplied by, in turn. */
function factorsOf(dtype: DType, length: number, draws: Random): Float64Array {
  // A float16 has so few digits that one unit roundoff is already large.
  const roundoff = roundoffOf(dtype) as number;
  const by = (roundoff > 2 ** -24 ? 1 : roundings) * roundoff;
  return Float64Array.from({ length: Math.min(period, length) }, () =>
    draws.uint32() & 1 ? 1 + by : 1 - by,
  );
}

function moved(tensor: Tensor, draws: Random): Tensor {
  const { dtype } = tensor;
  if (!isReal(dtype)) return tensor;
  const values = realValues(tensor);
  const result = { ...tensor, data: tensor.data.slice() } as Tensor;
  const factors = factorsOf(dtype, values.length, draws);
  for (let index = 0, at = 0; index < values.length; index++) {
    writeReal(result, index, (values[index] as number) * (factors[at] as number));
    at = at + 1 === factors.length ? 0 : at + 1;
  }
  return result;
}

/** Raises the noise of an output to how far it moved in one run. */
function widen(noise: Float64Array, before: Tensor, after: Tensor): void {
  if (before.dims.some((size, axis) => size !== after.dims[axis])) {
    noise.fill(Number.POSITIVE_INFINITY);
    return;
  }
  const real = isReal(before.dtype);
  const [a, b] = real ? [realValues(before), realValues(after)] : [before.data, after.data];
  for (let index = 0; index < noise.length; index++) {
    const [x, y] = [a[index], b[index]];
    if (x === y || Object.is(x, y)) continue;
    const move = real ? Math.abs((y as number) - (x as number)) : 1;
    noise[index] = Math.max(noise[index] as number, Number.isNaN(move) ? Number.POSITIVE_INFINITY : move);
  }
}
