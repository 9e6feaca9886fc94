import type { Inference, Origin } from "../graph/builder.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Node } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import { abs } from "./abs.ts";
import { add } from "./add.ts";
import { and } from "./and.ts";
import { argMax } from "./arg-max.ts";
import { argMin } from "./arg-min.ts";
import { averagePool } from "./average-pool.ts";
import { batchNormalization } from "./batch-normalization.ts";
import { branchesWith } from "./branches.ts";
import { cast } from "./cast.ts";
import { ceil } from "./ceil.ts";
import { celu } from "./celu.ts";
import { clip } from "./clip.ts";
import { concat } from "./concat.ts";
import { constant } from "./constant.ts";
import { constantOfShape } from "./constant-of-shape.ts";
import { conv } from "./conv.ts";
import { convTranspose } from "./conv-transpose.ts";
import { cos } from "./cos.ts";
import { cumSum } from "./cum-sum.ts";
import { depthToSpace } from "./depth-to-space.ts";
import { div } from "./div.ts";
import { dropout } from "./dropout.ts";
import { einsum } from "./einsum.ts";
import { elu } from "./elu.ts";
import { equal } from "./equal.ts";
import { erf } from "./erf.ts";
import { exp } from "./exp.ts";
import { expand } from "./expand.ts";
import { flatten } from "./flatten.ts";
import { floor } from "./floor.ts";
import { gather } from "./gather.ts";
import { gatherElements } from "./gather-elements.ts";
import { gatherNd } from "./gather-nd.ts";
import { gelu } from "./gelu.ts";
import { gemm } from "./gemm.ts";
import { globalAveragePool } from "./global-average-pool.ts";
import { globalMaxPool } from "./global-max-pool.ts";
import { greater } from "./greater.ts";
import { greaterOrEqual } from "./greater-or-equal.ts";
import { groupNormalization } from "./group-normalization.ts";
import { gru } from "./gru.ts";
import { hardSigmoid } from "./hard-sigmoid.ts";
import { hardSwish } from "./hard-swish.ts";
import { hardmax } from "./hardmax.ts";
import { identity } from "./identity.ts";
import { instanceNormalization } from "./instance-normalization.ts";
import { isInf } from "./is-inf.ts";
import { isNan } from "./is-nan.ts";
import { layerNormalization } from "./layer-normalization.ts";
import { leakyRelu } from "./leaky-relu.ts";
import { less } from "./less.ts";
import { lessOrEqual } from "./less-or-equal.ts";
import { log } from "./log.ts";
import { logSoftmax } from "./log-softmax.ts";
import { lpNormalization } from "./lp-normalization.ts";
import { lstm } from "./lstm.ts";
import { matMul } from "./mat-mul.ts";
import { max } from "./max.ts";
import { maxPool } from "./max-pool.ts";
import { maxUnpool } from "./max-unpool.ts";
import { mean } from "./mean.ts";
import { min } from "./min.ts";
import { mish } from "./mish.ts";
import { mod } from "./mod.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { not } from "./not.ts";
import { oneHot } from "./one-hot.ts";
import { Call, type Operator } from "./operator.ts";
import { or } from "./or.ts";
import { pRelu } from "./p-relu.ts";
import { pad } from "./pad.ts";
import { pow } from "./pow.ts";
import { range } from "./range.ts";
import { reciprocal } from "./reciprocal.ts";
import { reduceL1 } from "./reduce-l1.ts";
import { reduceL2 } from "./reduce-l2.ts";
import { reduceLogSumExp } from "./reduce-log-sum-exp.ts";
import { reduceMax } from "./reduce-max.ts";
import { reduceMean } from "./reduce-mean.ts";
import { reduceMin } from "./reduce-min.ts";
import { reduceProd } from "./reduce-prod.ts";
import { reduceSum } from "./reduce-sum.ts";
import { reduceSumSquare } from "./reduce-sum-square.ts";
import { relu } from "./relu.ts";
import { reshape } from "./reshape.ts";
import { resize } from "./resize.ts";
import { rmsNormalization } from "./rms-normalization.ts";
import { rnn } from "./rnn.ts";
import { round } from "./round.ts";
import { scaler } from "./scaler.ts";
import { scanWith } from "./scan.ts";
import { scatterElements } from "./scatter-elements.ts";
import { scatterNd } from "./scatter-nd.ts";
import { selu } from "./selu.ts";
import { shape } from "./shape.ts";
import { sigmoid } from "./sigmoid.ts";
import { sign } from "./sign.ts";
import { sin } from "./sin.ts";
import { size } from "./size.ts";
import { slice } from "./slice.ts";
import { softmax } from "./softmax.ts";
import { softmaxCrossEntropyLoss } from "./softmax-cross-entropy-loss.ts";
import { softplus } from "./softplus.ts";
import { softsign } from "./softsign.ts";
import { spaceToDepth } from "./space-to-depth.ts";
import { split } from "./split.ts";
import { sqrt } from "./sqrt.ts";
import { squeeze } from "./squeeze.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";
import { swish } from "./swish.ts";
import { tanh } from "./tanh.ts";
import { tile } from "./tile.ts";
import { topK } from "./top-k.ts";
import { transpose } from "./transpose.ts";
import { trilu } from "./trilu.ts";
import { typingOf } from "./typings.ts";
import { unsqueeze } from "./unsqueeze.ts";
import { upsample } from "./upsample.ts";
import { where } from "./where.ts";
import { xor } from "./xor.ts";

/** The one table of operators: ONNX's name to what espalier knows of it. */
export const operators = {
  Abs: abs,
  Add: add,
  And: and,
  ArgMax: argMax,
  ArgMin: argMin,
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Cast: cast,
  Ceil: ceil,
  Celu: celu,
  Clip: clip,
  Concat: concat,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Conv: conv,
  ConvTranspose: convTranspose,
  Cos: cos,
  CumSum: cumSum,
  DepthToSpace: depthToSpace,
  Div: div,
  Dropout: dropout,
  Einsum: einsum,
  Elu: elu,
  Equal: equal,
  Erf: erf,
  Exp: exp,
  Expand: expand,
  Flatten: flatten,
  Floor: floor,
  GRU: gru,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  Gelu: gelu,
  Gemm: gemm,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
  Greater: greater,
  GreaterOrEqual: greaterOrEqual,
  GroupNormalization: groupNormalization,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Hardmax: hardmax,
  Identity: identity,
  InstanceNormalization: instanceNormalization,
  IsInf: isInf,
  IsNaN: isNan,
  LSTM: lstm,
  LayerNormalization: layerNormalization,
  LeakyRelu: leakyRelu,
  Less: less,
  LessOrEqual: lessOrEqual,
  Log: log,
  LogSoftmax: logSoftmax,
  LpNormalization: lpNormalization,
  MatMul: matMul,
  Max: max,
  MaxPool: maxPool,
  MaxUnpool: maxUnpool,
  Mean: mean,
  Min: min,
  Mish: mish,
  Mod: mod,
  Mul: mul,
  Neg: neg,
  Not: not,
  OneHot: oneHot,
  Or: or,
  PRelu: pRelu,
  Pad: pad,
  Pow: pow,
  RMSNormalization: rmsNormalization,
  RNN: rnn,
  Range: range,
  Reciprocal: reciprocal,
  ReduceL1: reduceL1,
  ReduceL2: reduceL2,
  ReduceLogSumExp: reduceLogSumExp,
  ReduceMax: reduceMax,
  ReduceMean: reduceMean,
  ReduceMin: reduceMin,
  ReduceProd: reduceProd,
  ReduceSum: reduceSum,
  ReduceSumSquare: reduceSumSquare,
  Relu: relu,
  Reshape: reshape,
  Resize: resize,
  Round: round,
  Scan: scanWith((node) => operatorOf(node)),
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
  Selu: selu,
  Shape: shape,
  Sigmoid: sigmoid,
  Sign: sign,
  Sin: sin,
  Size: size,
  Slice: slice,
  Softmax: softmax,
  SoftmaxCrossEntropyLoss: softmaxCrossEntropyLoss,
  Softplus: softplus,
  Softsign: softsign,
  SpaceToDepth: spaceToDepth,
  Split: split,
  Sqrt: sqrt,
  Squeeze: squeeze,
  Sub: sub,
  Sum: sum,
  Swish: swish,
  Tanh: tanh,
  Tile: tile,
  TopK: topK,
  Transpose: transpose,
  Trilu: trilu,
  Unsqueeze: unsqueeze,
  Upsample: upsample,
  Where: where,
  Xor: xor,
} as const satisfies Readonly<Record<string, Operator>>;

/** The operators that espalier has rules for. */
export type OperatorName = keyof typeof operators;

/** Those of ONNX's other domain, `ai.onnx.ml`. */
const learningOperators: Readonly<Record<string, Operator>> = { Scaler: scaler };

const domains: Readonly<Record<string, Readonly<Record<string, Operator>>>> = {
  "": operators,
  "ai.onnx": operators,
  "ai.onnx.ml": learningOperators,
};

function rulesOf({ domain, op }: Node): Operator | undefined {
  const table = Object.hasOwn(domains, domain) ? domains[domain] : undefined;
  return table !== undefined && Object.hasOwn(table, op) ? table[op] : undefined;
}

/** Whether espalier has rules for a node. */
export function isSupported(node: Node): boolean {
  return rulesOf(node) !== undefined;
}

/** What is known of an operator without rules: nothing passes through it but values. */
const unruled: Operator = {
  infer: (call) => call.unruled("is not an operator that espalier has rules for", call.node.op),
  gradient: "none",
  flow: () => ({ ties: [] }),
  // Two runs that feed it the same make the same of it.
  rounding: (call) =>
    call.inputBounds.every((bound) => bound === undefined)
      ? undefined
      : call.unruled("has no rule for the rounding of what it makes", call.node.op),
};

/** The rules of a node's operator, or those that fit any node. */
export function rulesOrNone(node: Node): Operator {
  return rulesOf(node) ?? unruled;
}

/** The rules of a node's operator. Throws `UNSUPPORTED_OPERATOR`, naming the node and what is supported. */
export function operatorOf(node: Node): Operator {
  const rules = rulesOf(node);
  if (rules !== undefined) return rules;
  throw new EspalierError("UNSUPPORTED_OPERATOR", {
    thing: `node "${node.name}"`,
    rule: "needs an operator that espalier has rules for",
    received: isStandard(node.domain) ? node.op : `${node.domain}.${node.op}`,
    remedy: `${alternatives(node.op)}See docs/grow-any-model.md, "Operators without rules".`,
  });
}

function isStandard(domain: string): boolean {
  return domain === "" || domain === "ai.onnx";
}

/** The three operators with rules whose names share the most pairs of letters with `name` (Dice's coefficient). */
function alternatives(name: string): string {
  const pairs = (text: string) => {
    const lower = text.toLowerCase();
    return new Set(Array.from({ length: Math.max(0, lower.length - 1) }, (_, at) => lower.slice(at, at + 2)));
  };
  const own = pairs(name);
  const ranked = Object.keys(operators)
    .map((other) => {
      const theirs = pairs(other);
      const shared = [...theirs].filter((pair) => own.has(pair)).length;
      return { other, likeness: shared / (own.size + theirs.size || 1) };
    })
    .filter(({ likeness }) => likeness > 0)
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, 3);
  return ranked.length === 0
    ? ""
    : `Those with rules and a similar name: ${ranked.map(({ other }) => other).join(", ")}. `;
}

/** Types of a node's outputs by its operator's shape rule. Throws `UNSUPPORTED_OPERATOR` where none speaks of the node. */
export const inferNode: Inference = (node, typeOf, constantOf) => {
  const infer = rulesOf(node)?.infer ?? typingOf(node) ?? typingWithBodies(node) ?? operatorOf(node).infer;
  return infer(new Call(node, typeOf, constantOf));
};

/** Shape rules of operators with graphs inside that have no other rules. */
const typingsWithBodies: Readonly<Record<string, Operator["infer"]>> = {
  If: branchesWith((node, typeOf, constantOf) => inferNode(node, typeOf, constantOf)),
};

function typingWithBodies({ domain, op }: Node): Operator["infer"] | undefined {
  return isStandard(domain) && Object.hasOwn(typingsWithBodies, op) ? typingsWithBodies[op] : undefined;
}

/** An empty graph that knows every operator's shape rule, to write one after `origin` into. */
export function newGraph(origin?: Origin): GraphBuilder {
  return new GraphBuilder(inferNode, origin);
}
