import type { Attributes } from "../../src/graph/model.ts";
import { sizeOf, type Tensor } from "../../src/tensor/tensor.ts";

type Numbers = (name: string, otherwise: number) => number;
type Elementwise = (inputs: readonly [number, ...number[]], attribute: Numbers) => number;

/** ∫ of the Gauss bell by its series without cancellation: e^(−x²)·Σ 2ⁿ·x²ⁿ⁺¹ / (1·3·…·(2n + 1)). */
function erf(x: number): number {
  let [term, sum] = [x, 0];
  for (let n = 0; n < 200; n++) {
    sum += term;
    term *= (2 * x * x) / (2 * n + 3);
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Elementwise operators for which ONNX Runtime has no float64 kernel. */
const functions: Readonly<Record<string, Elementwise>> = {
  Atan: ([x]) => Math.atan(x),
  Celu: ([x], attribute) => {
    const alpha = attribute("alpha", 1);
    return x > 0 ? x : alpha * Math.expm1(x / alpha);
  },
  Elu: ([x], attribute) => (x > 0 ? x : attribute("alpha", 1) * Math.expm1(x)),
  Erf: ([x]) => erf(x),
  Gelu: ([x], attribute) => {
    const bent = Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3));
    return 0.5 * x * (1 + (attribute("tanh", 0) === 1 ? bent : erf(x / Math.SQRT2)));
  },
  HardSigmoid: ([x], attribute) =>
    Math.min(Math.max(attribute("alpha", 0.2) * x + attribute("beta", 0.5), 0), 1),
  HardSwish: ([x]) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1),
  LeakyRelu: ([x], attribute) => (x > 0 ? x : attribute("alpha", 0.01) * x),
  Mean: (inputs) => inputs.reduce((sum, x) => sum + x, 0) / inputs.length,
  Mish: ([x]) => x * Math.tanh(Math.log1p(Math.exp(x))),
  PRelu: ([x, slope = 0]) => (x > 0 ? x : slope * x),
  Selu: ([x], attribute) => {
    const [alpha, gamma] = [attribute("alpha", 1.6732632423543772), attribute("gamma", 1.0507009873554805)];
    return gamma * (x > 0 ? x : alpha * Math.expm1(x));
  },
  Softplus: ([x]) => Math.log1p(Math.exp(x)),
  Softsign: ([x]) => x / (1 + Math.abs(x)),
};

/**
 * Output of an elementwise call in float64, inputs broadcast; undefined if the operator is not in the table.
 */
export function exactElementwise(
  op: string,
  inputs: readonly (Tensor | undefined)[],
  attributes: Attributes,
): Tensor | undefined {
  const f = Object.hasOwn(functions, op) ? functions[op] : undefined;
  const given = inputs.filter((tensor) => tensor !== undefined);
  if (f === undefined) return undefined;
  const rank = Math.max(...given.map((tensor) => tensor.dims.length));
  const sizeAt = (tensor: Tensor, axis: number) => tensor.dims[axis - rank + tensor.dims.length] ?? 1;
  const dims = Array.from({ length: rank }, (_, axis) => Math.max(...given.map((one) => sizeAt(one, axis))));
  const attribute: Numbers = (name, otherwise) => {
    const value = attributes[name];
    if (name === "tanh") return Number(attributes.approximate?.value === "tanh");
    // Attributes are float32.
    return Math.fround(value?.kind === "float" ? value.value : otherwise);
  };
  const data = Float64Array.from({ length: sizeOf(dims) }, (_, at) => {
    const numbers = given.map((tensor) => {
      let [rest, stride, position] = [at, 1, 0];
      for (let axis = rank - 1; axis >= 0; axis--) {
        const size = sizeAt(tensor, axis);
        const place = rest % (dims[axis] as number);
        rest = Math.floor(rest / (dims[axis] as number));
        position += (size === 1 ? 0 : place) * stride;
        stride *= size;
      }
      return Number(tensor.data[position]);
    });
    return f(numbers as [number, ...number[]], attribute);
  });
  return { dtype: "float64", dims, data };
}
