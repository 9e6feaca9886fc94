import type { Model } from "../../src/graph/model.ts";
import { withParameters } from "../../src/graph/model.ts";
import { fillOne, forNewUnits, keepZero } from "../../src/growth/plan/fills.ts";
import type { Strategy } from "../../src/growth/plan/strategy.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";

/** Largest magnitude of an integer weight: small, so that the sums of a deep network stay below 2²⁴. */
const largest = 1;

function integer(draws: Random): number {
  return draws.integer(2 * largest + 1) - largest;
}

/** The same model with small integers for weights, and BatchNorm statistics that keep its arithmetic exact. */
export function withIntegers(model: Model, seed: number): Model {
  const parameters = new Map<string, Tensor>();
  for (const [name, tensor] of model.graph.parameters) {
    if (tensor.dtype !== "float32" || tensor.dims.length === 0) {
      parameters.set(name, tensor);
      continue;
    }
    const draws = new Random(seed, `integers ${name}`);
    const data = new Float32Array(sizeOf(tensor.dims));
    for (let index = 0; index < data.length; index++) {
      // A variance of 4ᵏ and no epsilon: its root is exact, and so is its inverse.
      if (name.endsWith(".variance")) data[index] = draws.integer(4) === 0 ? 4 : 1;
      else data[index] = integer(draws);
    }
    parameters.set(name, float32(tensor.dims, data));
  }
  return withParameters(model, parameters);
}

/** `random` with integers: incoming weights and shifts are small integers, so every sum stays exact. */
export const integerStrategy: Strategy = {
  name: "integers",
  summary: "for tests: small-integer incoming weights and shifts, zero outgoing weights",
  source: "espalier",
  preserves: true,
  incoming(request) {
    forNewUnits(request, (unit) => {
      const draws = request.random(unit);
      request.slices.map(unit, () => integer(draws));
    });
  },
  outgoing: keepZero,
  shift(request) {
    forNewUnits(request, (unit) => {
      const draws = request.random(unit);
      request.slices.map(unit, () => integer(draws));
    });
  },
  scale: fillOne,
};

/** Integer features in [-2, 2]. */
export function integerFeatures(dims: readonly number[], seed: number): Tensor<"float32"> {
  const draws = new Random(seed, "integer features");
  return float32(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, () => draws.integer(5) - 2),
  );
}

export function normalFeatures(dims: readonly number[], seed: number): Tensor<"float32"> {
  const draws = new Random(seed, "normal features");
  return float32(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, () => draws.normal()),
  );
}

/**
 * Whether every sum of the network is exact in float32 whatever its order: all terms are multiples of one power of
 * two (the grain), and no sum of their magnitudes reaches 2²⁴ grains. `input` bounds the magnitude of the features.
 */
export function isExact(model: Model, input: number): boolean {
  let bound = input;
  let grain = 1;
  const parameter = (name: string | undefined) =>
    (model.graph.parameters.get(name ?? "") as Tensor<"float32"> | undefined)?.data ?? new Float32Array(1);
  const peak = (name: string | undefined) =>
    parameter(name).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const fits = () => bound / grain < 2 ** 24;
  for (const node of model.graph.nodes) {
    const weight = model.graph.parameters.get(node.inputs[1] ?? "") as Tensor<"float32">;
    switch (node.op) {
      case "Gemm":
      case "Conv": {
        const [rows = 1, ...rest] = weight.dims;
        const width = sizeOf(rest);
        let most = 0;
        for (let row = 0; row < rows; row++) {
          const values = weight.data.subarray(row * width, (row + 1) * width);
          most = Math.max(
            most,
            values.reduce((sum, value) => sum + Math.abs(value), 0),
          );
        }
        bound = bound * most + peak(node.inputs[2]);
        break;
      }
      case "BatchNormalization": {
        const deviation = Math.sqrt(peak(node.inputs[4]));
        bound = (bound + peak(node.inputs[3])) * peak(node.inputs[1]) + peak(node.inputs[2]);
        grain /= deviation;
        break;
      }
      case "LeakyRelu":
        grain *= (node.attributes.alpha as { readonly value: number }).value;
        break;
      case "AveragePool":
        if (!fits() || bound * 4 >= 2 ** 24 * grain) return false;
        grain /= 4;
        break;
      case "GlobalAveragePool":
        // The largest image that these tests pool as a whole has 64 pixels.
        if (bound * 64 >= 2 ** 24 * grain) return false;
        grain /= 64;
        break;
      case "Relu":
      case "MaxPool":
      case "Flatten":
      case "Dropout":
      case "Identity":
        break;
      default:
        throw new Error(`no rule for the exactness of ${node.op}`);
    }
    if (!fits()) return false;
  }
  return true;
}
