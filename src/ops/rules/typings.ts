import type { Dim, Shape } from "../../graph/dim.ts";
import { addDims } from "../../graph/dim.ts";
import type { Node, ValueType } from "../../graph/model.ts";
import type { DType } from "../../tensor/dtype.ts";
import { broadcastShapes, inferUnary } from "./broadcast.ts";
import { dtypeOfCode } from "./element-types.ts";
import type { Call, Operator } from "./operator.ts";
import { sizesOf, unknownSize } from "./sizes.ts";

/**
 * Shape rules of operators that have no others: nothing grows through them and no gradient passes, but their outputs
 * have types, so that the nodes after them work as usual.
 */
type Typing = Operator["infer"];

/** The type that attribute `name` names by ONNX's number, or that of input 0. */
function named(call: Call, name: string, otherwise?: DType): DType {
  const code = call.int(name, 0);
  if (code !== 0) return dtypeOfCode(`node "${call.node.name}" (${call.node.op})`, code);
  return otherwise ?? call.input(0).dtype;
}

/** The shape of input 0 with another element type. */
const ofType =
  (dtype: (call: Call) => DType): Typing =>
  (call) => [{ dtype: dtype(call), shape: call.shape(0) }];

/** The broadcast shape of both inputs. */
const pairwise: Typing = (call) => [
  { dtype: call.input(0).dtype, shape: broadcastShapes(call, [call.shape(0), call.shape(1)]) },
];

function random(call: Call): readonly ValueType[] {
  const shape = call.ints("shape") ?? call.fail("attribute shape is required", undefined);
  return [{ dtype: named(call, "dtype", "float32"), shape }];
}

/** Regions [count, 4] of feature maps [N, C, H, W], pooled. */
const regions =
  (sizes: (call: Call) => Shape): Typing =>
  (call) => [
    { dtype: call.input(0).dtype, shape: [call.shape(1)[0] as Dim, call.shape(0)[1] as Dim, ...sizes(call)] },
  ];

function windowFunction(call: Call): readonly ValueType[] {
  const [size] = sizesOf(call, 0) ?? [unknownSize(call, 0)];
  return [{ dtype: named(call, "output_datatype", "float32"), shape: [size as Dim] }];
}

/** Scores of each row, one of them a label. */
const classified =
  (classes: (call: Call) => number | undefined): Typing =>
  (call) => {
    const strings = call.strings("classlabels_strings") ?? [];
    const count = Math.max(strings.length, classes(call) ?? 0);
    const [batch] = call.rank(0) < 2 ? [1] : call.shape(0);
    return [
      { dtype: strings.length > 0 ? "string" : "int64", shape: [batch as Dim] },
      { dtype: "float32", shape: [batch as Dim, count === 0 ? unknownSize(call, 1, 1) : count] },
    ];
  };

const regressed =
  (targets: (call: Call) => number): Typing =>
  (call) => [{ dtype: "float32", shape: [call.rank(0) < 2 ? 1 : (call.shape(0)[0] as Dim), targets(call)] }];

const length = (call: Call, name: string) => call.ints(name)?.length;

const standard: Readonly<Record<string, Typing>> = {
  Acos: inferUnary,
  Acosh: inferUnary,
  Asin: inferUnary,
  Asinh: inferUnary,
  Atanh: inferUnary,
  Bernoulli: ofType((call) => named(call, "dtype")),
  BitCast: ofType((call) => named(call, "to")),
  BitShift: pairwise,
  BitwiseAnd: pairwise,
  BitwiseNot: inferUnary,
  BitwiseOr: pairwise,
  BitwiseXor: pairwise,
  BlackmanWindow: windowFunction,
  Compress: (call) => {
    const axis = call.int("axis", 0);
    const flat = !Object.hasOwn(call.node.attributes, "axis");
    const at = flat ? 0 : call.axis(axis, call.rank(0));
    const shape = flat ? [0] : call.shape(0);
    return [
      {
        dtype: call.input(0).dtype,
        shape: shape.map((size, one) => (one === at ? unknownSize(call, at) : size)),
      },
    ];
  },
  Cosh: inferUnary,
  CumProd: inferUnary,
  DequantizeLinear: (call) => [
    { dtype: named(call, "output_dtype", call.input(1).dtype), shape: call.shape(0) },
  ],
  Det: (call) => [{ dtype: call.input(0).dtype, shape: call.shape(0).slice(0, -2) }],
  DynamicQuantizeLinear: (call) => [
    { dtype: "uint8", shape: call.shape(0) },
    { dtype: "float32", shape: [] },
    { dtype: "uint8", shape: [] },
  ],
  EyeLike: ofType((call) => named(call, "dtype")),
  GlobalLpPool: (call) => [
    { dtype: call.input(0).dtype, shape: call.shape(0).map((size, axis) => (axis < 2 ? size : 1)) },
  ],
  HammingWindow: windowFunction,
  HannWindow: windowFunction,
  MatMulInteger: (call) => {
    const [a, b] = [call.shape(0), call.shape(1)];
    if (a.length < 2 || b.length < 2) return call.unruled("has a type for matrices only", [a, b]);
    const lead = broadcastShapes(call, [a.slice(0, -2), b.slice(0, -2)]);
    return [{ dtype: "int32", shape: [...lead, a.at(-2) as Dim, b.at(-1) as Dim] }];
  },
  MaxRoiPool: regions((call) => call.ints("pooled_shape") ?? []),
  MeanVarianceNormalization: inferUnary,
  Multinomial: (call) => [
    { dtype: named(call, "dtype", "int32"), shape: [call.shape(0)[0] as Dim, call.int("sample_size", 1)] },
  ],
  NegativeLogLikelihoodLoss: (call) => [
    { dtype: call.input(0).dtype, shape: call.string("reduction", "mean") === "none" ? call.shape(1) : [] },
  ],
  NonMaxSuppression: (call) => [{ dtype: "int64", shape: [unknownSize(call, 0), 3] }],
  NonZero: (call) => [{ dtype: "int64", shape: [Math.max(1, call.rank(0)), unknownSize(call, 1)] }],
  QuantizeLinear: ofType((call) => named(call, "output_dtype", call.has(2) ? call.input(2).dtype : "uint8")),
  RandomNormal: random,
  RandomNormalLike: ofType((call) => named(call, "dtype")),
  RandomUniform: random,
  RandomUniformLike: ofType((call) => named(call, "dtype")),
  ReverseSequence: inferUnary,
  RoiAlign: regions((call) => [call.int("output_height", 1), call.int("output_width", 1)]),
  Scatter: inferUnary,
  Shrink: inferUnary,
  Sinh: inferUnary,
  StringConcat: pairwise,
  Tan: inferUnary,
  TensorScatter: inferUnary,
  ThresholdedRelu: inferUnary,
  Unique: (call) => {
    const flat = !Object.hasOwn(call.node.attributes, "axis");
    const at = flat ? 0 : call.axis(call.int("axis", 0), call.rank(0));
    const shape = flat ? [0] : call.shape(0);
    const count = unknownSize(call, at);
    return [
      { dtype: call.input(0).dtype, shape: shape.map((size, axis) => (axis === at ? count : size)) },
      { dtype: "int64", shape: [count] },
      { dtype: "int64", shape: [unknownSize(call, 0, 2)] },
      { dtype: "int64", shape: [count] },
    ];
  },
};

const learning: Readonly<Record<string, Typing>> = {
  Binarizer: inferUnary,
  FeatureVectorizer: (call) => {
    const widths = call.node.inputs.map((_, index) => call.shape(index).at(-1) as Dim);
    return [{ dtype: "float32", shape: [call.shape(0)[0] as Dim, widths.reduce(addDims)] }];
  },
  Imputer: inferUnary,
  LinearClassifier: classified((call) => length(call, "classlabels_ints")),
  LinearRegressor: regressed((call) => call.int("targets", 1)),
  Normalizer: ofType(() => "float32"),
  OneHotEncoder: (call) => {
    const count = length(call, "cats_int64s") ?? call.strings("cats_strings")?.length ?? 0;
    return [{ dtype: "float32", shape: [...call.shape(0), count] }];
  },
  SVMClassifier: classified((call) => length(call, "classlabels_ints")),
  SVMRegressor: regressed(() => 1),
  TreeEnsembleClassifier: classified((call) => length(call, "classlabels_int64s")),
  TreeEnsembleRegressor: regressed((call) => call.int("n_targets", 1)),
};

const domains: Readonly<Record<string, Readonly<Record<string, Typing>>>> = {
  "": standard,
  "ai.onnx": standard,
  "ai.onnx.ml": learning,
};

/** The shape rule of an operator that has no others. */
export function typingOf({ domain, op }: Node): Typing | undefined {
  const table = Object.hasOwn(domains, domain) ? domains[domain] : undefined;
  return table !== undefined && Object.hasOwn(table, op) ? table[op] : undefined;
}
