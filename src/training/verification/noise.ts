import { type Feeds, Session, type SessionOptions } from "../../engine/session.ts";
import { encodeModel } from "../../formats/onnx/index.ts";
import type { Model, Node } from "../../graph/model.ts";
import { withParameters } from "../../graph/model.ts";
import { roundoffOf } from "../../growth/examine/output-limits.ts";
import { isReal, realValues, writeReal } from "../../growth/plan/real-parameter.ts";
import { weightsApart } from "../../models/weights-apart.ts";
import { isSupported, operatorOf } from "../../ops/index.ts";
import { Random } from "../../tensor/random.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";

/** How often the model is shaken: a tie that rounding decides falls either way in one of these, as good as always. */
const shakes = 5;

/** Roundings by which every weight and every real input is moved, up or down. */
const roundings = 16;

interface Shaken {
  readonly session: Session;
  readonly weights: Feeds;
}

/**
 * How far a model's outputs move by themselves when nothing but rounding changes: it is run with its weights and inputs
 * moved by a few roundings at random, which is what the rounding errors of its sums amount to (they are backward stable:
 * Higham, "Accuracy and Stability of Numerical Algorithms", §3.5). Unlike the rounding bound it is no proof, but it stays
 * near the truth however deep the model, where the bound grows beyond all use.
 */
export class Noise {
  readonly #model: Model;
  readonly #options: SessionOptions;
  #shaken: readonly Shaken[] | undefined;

  constructor(model: Model, options: SessionOptions) {
    this.#model = model;
    this.#options = options;
  }

  /**
   * The largest move of each entry of each output; infinite for entries that are finite in some runs only, or of outputs
   * that change their shape.
   */
  async run(feeds: Feeds, expected: Feeds): Promise<ReadonlyMap<string, Float64Array>> {
    this.#shaken ??= await this.#shake();
    const noise = new Map(
      Object.entries(expected).map(([name, { dims }]) => [name, new Float64Array(sizeOf(dims))]),
    );
    const asked = Object.fromEntries(Object.keys(expected).map((name) => [name, null]));
    for (const [at, { session, weights }] of this.#shaken.entries()) {
      const shaken = Object.fromEntries(
        Object.entries(feeds).map(([name, tensor]) => [
          name,
          moved(tensor, new Random(at, `shaken ${name}`)),
        ]),
      );
      // A constant that is moved may be one that the model cannot do with: then this run says nothing.
      const outputs = await session.run({ ...shaken, ...weights }, asked).catch(() => undefined);
      if (outputs === undefined) continue;
      for (const [name, before] of Object.entries(expected)) {
        widen(noise.get(name) as Float64Array, before, outputs[name] as Tensor);
      }
    }
    return noise;
  }

  async release(): Promise<void> {
    await Promise.all((this.#shaken ?? []).map(({ session }) => session.release()));
  }

  async #shake(): Promise<readonly Shaken[]> {
    const fixed = literals(this.#model);
    const sessions: Shaken[] = [];
    for (let at = 0; at < shakes; at++) {
      const parameters = new Map(
        [...this.#model.graph.parameters].map(([name, tensor]) => [
          name,
          fixed.has(name) || isWholeNumber(tensor) ? tensor : moved(tensor, new Random(at, `shaken ${name}`)),
        ]),
      );
      const { model, weights } = weightsApart(withParameters(this.#model, parameters));
      try {
        sessions.push({ session: await Session.create(encodeModel(model), this.#options), weights });
      } catch {
        // As above.
      }
    }
    return sessions;
  }
}

/** Parameters that say how to compute and are no weights, such as the scales of a Resize. */
function literals({ graph }: Model): ReadonlySet<string> {
  const always = (node: Node) => (isSupported(node) ? (operatorOf(node).literals?.always ?? []) : []);
  return new Set(graph.nodes.flatMap((node) => always(node).map((input) => node.inputs[input] ?? "")));
}

/** Whether it is one whole number: an exponent that is moved makes NaN of every negative number. */
function isWholeNumber(tensor: Tensor): boolean {
  if (tensor.data.length !== 1 || !isReal(tensor.dtype)) return false;
  return Number.isInteger(realValues(tensor)[0]);
}

/** A tensor whose numbers are some of their own roundings larger or smaller; one of another type as it is. */
function moved(tensor: Tensor, draws: Random): Tensor {
  const { dtype } = tensor;
  if (!isReal(dtype)) return tensor;
  // A float16 has so few digits that two roundings are a lot.
  const roundoff = roundoffOf(dtype) as number;
  const by = (roundoff > 2 ** -24 ? 2 : roundings) * roundoff;
  const values = realValues(tensor);
  const result = { ...tensor, data: tensor.data.slice() } as Tensor;
  for (let index = 0; index < values.length; index++) {
    const sign = draws.uint32() & 1 ? 1 : -1;
    writeReal(result, index, (values[index] as number) * (1 + sign * by));
  }
  return result;
}

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
