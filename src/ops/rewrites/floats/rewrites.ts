import type { Attributes, Node } from "../../../graph/model.ts";
import { isFloat } from "../../../tensor/dtype.ts";
import { float32, sizeOf, type Tensor, toNumbers } from "../../../tensor/tensor.ts";
import { dequantized, transposed } from "./dequantize.ts";
import type { Folding } from "./folding.ts";

/** Writes the replacement of a node with quantized weights; false if the node has another form. */
type Rewrite = (folding: Folding, node: Node) => boolean;

const float32Code = 1;

function intOf({ attributes }: Node, name: string, otherwise: number): number {
  const attribute = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  return attribute?.kind === "int" ? attribute.value : otherwise;
}

const isQuantized = (tensor: Tensor | undefined): tensor is Tensor =>
  tensor !== undefined && (tensor.dtype === "int8" || tensor.dtype === "uint8");

/** Whether two names stand for the same numbers. */
function equal(folding: Folding, a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  const [x, y] = [folding.constant(a), folding.constant(b)];
  const [p, q] = [x && toNumbers(x), y && toNumbers(y)];
  return p !== undefined && q !== undefined && p.length === q.length && p.every((one, at) => one === q[at]);
}

/** Constants as real numbers, or activations that were quantized just before. */
const dequantizeLinear: Rewrite = (folding, node) => {
  const [value = "", scaleName, zeroName] = node.inputs;
  const [output = ""] = node.outputs;
  const scale = folding.constant(scaleName);
  if (scale?.dtype !== "float32") return false;
  const quantizer = folding.makerOf(value);
  if (quantizer?.op === "QuantizeLinear" && equal(folding, quantizer.inputs[1], scaleName)) {
    if (!equal(folding, quantizer.inputs[2] || undefined, zeroName || undefined)) return false;
    folding.activations++;
    return folding.alias(output, quantizer.inputs[0] as string);
  }
  const zero = folding.constant(zeroName);
  if (zeroName && zero === undefined) return false;
  const block = intOf(node, "block_size", 0);
  const floated = folding.floated(value, { scale, zero, axis: intOf(node, "axis", 1), block });
  return floated !== undefined && folding.alias(output, floated);
};

/** Weights that are cast, before constants are subtracted and multiplied. */
const cast: Rewrite = (folding, node) => {
  const [value = ""] = node.inputs;
  const tensor = folding.constant(value);
  if (!isQuantized(tensor) || intOf(node, "to", 0) !== float32Code) return false;
  const scale = float32([], [1]);
  return folding.alias(
    node.outputs[0] as string,
    folding.weight(value, dequantized(tensor, { scale, zero: undefined, axis: 0 })),
  );
};

/** A constant that is stretched over the axes of a weight. */
function stretched(tensor: Tensor, dims: readonly number[]): ((offset: number) => number) | undefined {
  const own = [...new Array<number>(Math.max(0, dims.length - tensor.dims.length)).fill(1), ...tensor.dims];
  const fits = own.length === dims.length && own.every((size, axis) => size === 1 || size === dims[axis]);
  if (!fits) return undefined;
  const numbers = toNumbers(tensor);
  return (offset) => {
    let [rest, index, stride] = [offset, 0, 1];
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const size = dims[axis] as number;
      if (own[axis] !== 1) {
        index += (rest % size) * stride;
        stride *= size;
      }
      rest = Math.floor(rest / size);
    }
    return numbers[index] as number;
  };
}

/** Arithmetic of a weight that was cast with a constant. */
const arithmetic =
  (compute: (a: number, b: number) => number): Rewrite =>
  (folding, node) => {
    const [a = "", b = ""] = node.inputs;
    const [left, right] = [folding.constant(a), folding.constant(b)];
    const isOwn = folding.isWeight(a) ? left : folding.isWeight(b) ? right : undefined;
    if (isOwn === undefined || !left || !right || !isFloat(left.dtype) || !isFloat(right.dtype)) return false;
    const dims = sizeOf(left.dims) >= sizeOf(right.dims) ? left.dims : right.dims;
    const [ofLeft, ofRight] = [stretched(left, dims), stretched(right, dims)];
    if (ofLeft === undefined || ofRight === undefined) return false;
    const data = Float32Array.from({ length: sizeOf(dims) }, (_, at) => compute(ofLeft(at), ofRight(at)));
    return folding.alias(
      node.outputs[0] as string,
      folding.weight(folding.isWeight(a) ? a : b, float32(dims, data)),
    );
  };

/** The product of integers that a value is, cast to real numbers. */
function integerProduct(folding: Folding, value: string): Node | undefined {
  const maker = folding.makerOf(value);
  const product = maker?.op === "Cast" ? folding.makerOf(maker.inputs[0]) : undefined;
  return product?.op === "MatMulInteger" || product?.op === "ConvInteger" ? product : undefined;
}

/** (integers of x · integers of W) · (scale of x · scale of W): x · W. */
const scaledProduct: Rewrite = (folding, node) => {
  const at = node.inputs.findIndex((name) => integerProduct(folding, name) !== undefined);
  if (at < 0) return false;
  const product = integerProduct(folding, node.inputs[at] as string) as Node;
  const scales = folding.makerOf(node.inputs[1 - at]);
  const quantizer = folding.makerOf(product.inputs[0]);
  const weights = folding.constant(product.inputs[1]);
  if (scales?.op !== "Mul" || quantizer?.op !== "DynamicQuantizeLinear" || !isQuantized(weights))
    return false;
  const scaleAt = scales.inputs.indexOf(quantizer.outputs[1] as string);
  const scale = folding.constant(scales.inputs[1 - scaleAt]);
  const zeroName = product.inputs[3] ?? "";
  const zero = folding.constant(zeroName);
  if (scaleAt < 0 || scale === undefined || (zeroName !== "" && zero === undefined)) return false;
  const isConv = product.op === "ConvInteger";
  const axis = isConv ? 0 : weights.dims.length - 1;
  const weight = folding.weight(product.inputs[1] as string, dequantized(weights, { scale, zero, axis }));
  folding.activations++;
  const inputs = [quantizer.inputs[0] as string, weight];
  return folding.replace(node.outputs[0] as string, isConv ? "Conv" : "MatMul", inputs, product.attributes);
};

/** com.microsoft.DynamicQuantizeLSTM: its weights [directions, size, 4·hidden] are transposed. */
const dynamicLstm: Rewrite = (folding, node) => {
  const [x = "", wName = "", rName = "", ...others] = node.inputs;
  const weightOf = (name: string, scaleAt: number) => {
    const [tensor, scale] = [folding.constant(name), folding.constant(node.inputs[scaleAt])];
    if (!isQuantized(tensor) || scale === undefined) return undefined;
    const zero = folding.constant(node.inputs[scaleAt + 1]);
    const [directions = 1, rows = 1, columns = 1] = tensor.dims;
    // A scale belongs to a direction or to one column of its weights.
    const whole = new Float32Array(tensor.data.length);
    for (let direction = 0; direction < directions; direction++) {
      const part = (of: Tensor) => {
        const count = sizeOf(of.dims) / directions;
        return {
          ...of,
          dims: [count],
          data: of.data.slice(direction * count, (direction + 1) * count),
        } as Tensor;
      };
      const one = { ...part(tensor), dims: [rows, columns] } as Tensor;
      const real = dequantized(one, { scale: part(scale), zero: zero && part(zero), axis: 1 });
      whole.set(real.data, direction * real.data.length);
    }
    return folding.weight(name, transposed(float32(tensor.dims, whole)));
  };
  const [w, r] = [weightOf(wName, 8), weightOf(rName, 10)];
  if (w === undefined || r === undefined) return false;
  folding.activations++;
  const inputs = [x, w, r, ...others.slice(0, 5)];
  while (inputs.at(-1) === "") inputs.pop();
  folding.keep({ ...node, op: "LSTM", domain: "", inputs });
  return true;
};

/** com.microsoft.DynamicQuantizeMatMul: A, B, scale of B, its zero, a bias. */
const dynamicMatMul: Rewrite = (folding, node) => {
  const [a = "", bName = "", scaleName, zeroName, bias = ""] = node.inputs;
  const [weights, scale, zero] = [bName, scaleName, zeroName].map((name) => folding.constant(name));
  if (!isQuantized(weights) || scale === undefined) return false;
  const axis = weights.dims.length - 1;
  const weight = folding.weight(bName, dequantized(weights, { scale, zero, axis }));
  folding.activations++;
  const [output = ""] = node.outputs;
  if (bias === "") return folding.replace(output, "MatMul", [a, weight]);
  return folding.replace(output, "Add", [folding.emit(output, "MatMul", [a, weight]), bias]);
};

/** com.microsoft.MatMulIntegerToFloat: A, B, their scales, their zeros, a bias. */
const matMulIntegerToFloat: Rewrite = (folding, node) => {
  const [aName, bName = "", aScale, bScale, , bZero, bias = ""] = node.inputs;
  const quantizer = folding.makerOf(aName);
  const [weights, scale, zero] = [bName, bScale, bZero].map((name) => folding.constant(name));
  const isDynamic = quantizer?.op === "DynamicQuantizeLinear" && quantizer.outputs[1] === aScale;
  if (!isDynamic || !isQuantized(weights) || scale === undefined) return false;
  const axis = weights.dims.length - 1;
  const weight = folding.weight(bName, dequantized(weights, { scale, zero, axis }));
  folding.activations++;
  const [output = ""] = node.outputs;
  const product = [quantizer.inputs[0] as string, weight];
  if (bias === "") return folding.replace(output, "MatMul", product);
  return folding.replace(output, "Add", [folding.emit(output, "MatMul", product), bias]);
};

/** QLinearMatMul and QLinearConv: integers in and out, between QuantizeLinear and DequantizeLinear. */
const qLinear =
  (op: "MatMul" | "Conv"): Rewrite =>
  (folding, node) => {
    const [x = "", xScale, xZero, wName = "", wScale, wZero, yScale = "", yZero = "", bias = ""] =
      node.inputs;
    const weights = folding.constant(wName);
    const [scale, zero, scaleOfX] = [
      folding.constant(wScale),
      folding.constant(wZero),
      folding.constant(xScale),
    ];
    const quantizer = folding.makerOf(x);
    const isOwn = quantizer?.op === "QuantizeLinear" && equal(folding, quantizer.inputs[1], xScale);
    if (!isOwn || !equal(folding, quantizer.inputs[2], xZero)) return false;
    if (!isQuantized(weights) || scale === undefined || scaleOfX === undefined) return false;
    const axis = op === "Conv" ? 0 : weights.dims.length - 1;
    const inputs = [
      quantizer.inputs[0] as string,
      folding.weight(wName, dequantized(weights, { scale, zero, axis })),
    ];
    const biases = folding.constant(bias);
    if (biases !== undefined) {
      const [ofX = 1] = toNumbers(scaleOfX);
      const each = toNumbers(scale).map((one) => Math.fround(one * ofX));
      const scaled = float32([each.length], each);
      inputs.push(folding.weight(bias, dequantized(biases, { scale: scaled, zero: undefined, axis: 0 })));
    }
    folding.activations++;
    const [output = ""] = node.outputs;
    const real = folding.emit(output, op, inputs, node.attributes as Attributes);
    // Later nodes read integers until a DequantizeLinear, or the next of these, turns them back into real numbers.
    folding.keep({ ...node, op: "QuantizeLinear", inputs: [real, yScale, yZero], attributes: {} });
    return true;
  };

const either =
  (...rules: readonly Rewrite[]): Rewrite =>
  (folding, node) =>
    rules.some((rule) => rule(folding, node));

/** By domain and operator. */
export const rewrites: Readonly<Record<string, Rewrite>> = {
  ":Add": arithmetic((a, b) => a + b),
  ":Cast": cast,
  ":DequantizeLinear": dequantizeLinear,
  ":Div": arithmetic((a, b) => a / b),
  ":Mul": either(
    arithmetic((a, b) => a * b),
    scaledProduct,
  ),
  ":QLinearConv": qLinear("Conv"),
  ":QLinearMatMul": qLinear("MatMul"),
  ":Sub": arithmetic((a, b) => a - b),
  "com.microsoft:DequantizeLinear": dequantizeLinear,
  "com.microsoft:DynamicQuantizeLSTM": dynamicLstm,
  "com.microsoft:DynamicQuantizeMatMul": dynamicMatMul,
  "com.microsoft:MatMulIntegerToFloat": matMulIntegerToFloat,
};
