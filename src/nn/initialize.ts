import type { Random } from "../tensor/random.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";

/**
 * Normal weights with standard deviation gain / √fan-in, for weights whose axis 0 is the units. Gain √2 keeps the variance
 * through ReLU (He et al. 2015); 1 suits an output layer.
 */
export function initialWeights(dims: readonly number[], gain: number, random: Random): Tensor<"float32"> {
  const deviation = gain / Math.sqrt(sizeOf(dims.slice(1)));
  const data = new Float32Array(sizeOf(dims));
  for (let index = 0; index < data.length; index++) data[index] = deviation * random.normal();
  return { dtype: "float32", dims, data };
}
