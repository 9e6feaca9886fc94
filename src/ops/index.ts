import type { Inference, Origin } from "../graph/builder.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Node } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import { atan } from "./activations/atan.ts";
import { celu } from "./activations/celu.ts";
import { elu } from "./activations/elu.ts";
import { gelu } from "./activations/gelu.ts";
import { hardSigmoid } from "./activations/hard-sigmoid.ts";
import { hardSwish } from "./activations/hard-swish.ts";
import { leakyRelu } from "./activations/leaky-relu.ts";
import { mish } from "./activations/mish.ts";
import { pRelu } from "./activations/p-relu.ts";
import { relu } from "./activations/relu.ts";
import { selu } from "./activations/selu.ts";
import { sigmoid } from "./activations/sigmoid.ts";
import { softplus } from "./activations/softplus.ts";
import { softsign } from "./activations/softsign.ts";
import { swish } from "./activations/swish.ts";
import { tanh } from "./activations/tanh.ts";
import { abs } from "./elementwise/abs.ts";
import { add } from "./elementwise/add.ts";
import { cast } from "./elementwise/cast.ts";
import { castLike } from "./elementwise/cast-like.ts";
import { ceil } from "./elementwise/ceil.ts";
import { clip } from "./elementwise/clip.ts";
import { cos } from "./elementwise/cos.ts";
import { div } from "./elementwise/div.ts";
import { dropout } from "./elementwise/dropout.ts";
import { erf } from "./elementwise/erf.ts";
import { exp } from "./elementwise/exp.ts";
import { floor } from "./elementwise/floor.ts";
import { identity } from "./elementwise/identity.ts";
import { log } from "./elementwise/log.ts";
import { max } from "./elementwise/max.ts";
import { mean } from "./elementwise/mean.ts";
import { min } from "./elementwise/min.ts";
import { mod } from "./elementwise/mod.ts";
import { mul } from "./elementwise/mul.ts";
import { neg } from "./elementwise/neg.ts";
import { pow } from "./elementwise/pow.ts";
import { reciprocal } from "./elementwise/reciprocal.ts";
import { round } from "./elementwise/round.ts";
import { scaler } from "./elementwise/scaler.ts";
import { sign } from "./elementwise/sign.ts";
import { sin } from "./elementwise/sin.ts";
import { sqrt } from "./elementwise/sqrt.ts";
import { sub } from "./elementwise/sub.ts";
import { sum } from "./elementwise/sum.ts";
import { and } from "./logic/and.ts";
import { choose } from "./logic/choose.ts";
import { equal } from "./logic/equal.ts";
import { greater } from "./logic/greater.ts";
import { greaterOrEqual } from "./logic/greater-or-equal.ts";
import { isInf } from "./logic/is-inf.ts";
import { isNan } from "./logic/is-nan.ts";
import { less } from "./logic/less.ts";
import { lessOrEqual } from "./logic/less-or-equal.ts";
import { not } from "./logic/not.ts";
import { or } from "./logic/or.ts";
import { where } from "./logic/where.ts";
import { xor } from "./logic/xor.ts";
import { concat } from "./moving/concat.ts";
import { constant } from "./moving/constant.ts";
import { constantOfShape } from "./moving/constant-of-shape.ts";
import { depthToSpace } from "./moving/depth-to-space.ts";
import { expand } from "./moving/expand.ts";
import { flatten } from "./moving/flatten.ts";
import { gather } from "./moving/gather.ts";
import { gatherElements } from "./moving/gather-elements.ts";
import { gatherNd } from "./moving/gather-nd.ts";
import { oneHot } from "./moving/one-hot.ts";
import { pad } from "./moving/pad.ts";
import { range } from "./moving/range.ts";
import { reshape } from "./moving/reshape.ts";
import { scatterElements } from "./moving/scatter-elements.ts";
import { scatterNd } from "./moving/scatter-nd.ts";
import { shape } from "./moving/shape.ts";
import { size } from "./moving/size.ts";
import { slice } from "./moving/slice.ts";
import { spaceToDepth } from "./moving/space-to-depth.ts";
import { split } from "./moving/split.ts";
import { squeeze } from "./moving/squeeze.ts";
import { tile } from "./moving/tile.ts";
import { topK } from "./moving/top-k.ts";
import { transpose } from "./moving/transpose.ts";
import { trilu } from "./moving/trilu.ts";
import { unsqueeze } from "./moving/unsqueeze.ts";
import { batchNormalization } from "./normalizing/batch-normalization.ts";
import { groupNormalization } from "./normalizing/group-normalization.ts";
import { hardmax } from "./normalizing/hardmax.ts";
import { instanceNormalization } from "./normalizing/instance-normalization.ts";
import { layerNormalization } from "./normalizing/layer-normalization.ts";
import { logSoftmax } from "./normalizing/log-softmax.ts";
import { lpNormalization } from "./normalizing/lp-normalization.ts";
import { lrn } from "./normalizing/lrn.ts";
import { rmsNormalization } from "./normalizing/rms-normalization.ts";
import { softmax } from "./normalizing/softmax.ts";
import { softmaxCrossEntropyLoss } from "./normalizing/softmax-cross-entropy-loss.ts";
import { einsum } from "./products/einsum.ts";
import { gemm } from "./products/gemm.ts";
import { matMul } from "./products/mat-mul.ts";
import { gru } from "./recurrent/gru.ts";
import { lstm } from "./recurrent/lstm.ts";
import { rnn } from "./recurrent/rnn.ts";
import { scanWith } from "./recurrent/scan.ts";
import { argMax } from "./reducing/arg-max.ts";
import { argMin } from "./reducing/arg-min.ts";
import { cumSum } from "./reducing/cum-sum.ts";
import { reduceL1 } from "./reducing/reduce-l1.ts";
import { reduceL2 } from "./reducing/reduce-l2.ts";
import { reduceLogSumExp } from "./reducing/reduce-log-sum-exp.ts";
import { reduceMax } from "./reducing/reduce-max.ts";
import { reduceMean } from "./reducing/reduce-mean.ts";
import { reduceMin } from "./reducing/reduce-min.ts";
import { reduceProd } from "./reducing/reduce-prod.ts";
import { reduceSum } from "./reducing/reduce-sum.ts";
import { reduceSumSquare } from "./reducing/reduce-sum-square.ts";
import { branchesWith } from "./rules/branches.ts";
import { Call, type Operator } from "./rules/operator.ts";
import { typingOf } from "./rules/typings.ts";
import { averagePool } from "./windows/average-pool.ts";
import { conv } from "./windows/conv.ts";
import { convTranspose } from "./windows/conv-transpose.ts";
import { globalAveragePool } from "./windows/global-average-pool.ts";
import { globalMaxPool } from "./windows/global-max-pool.ts";
import { maxPool } from "./windows/max-pool.ts";
import { maxUnpool } from "./windows/max-unpool.ts";
import { resize } from "./windows/resize.ts";
import { upsample } from "./windows/upsample.ts";

/** The one table of operators: from its ONNX name to what espalier knows about it. */
export const operators = {
  Abs: abs,
  Add: add,
  And: and,
  ArgMax: argMax,
  ArgMin: argMin,
  Atan: atan,
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Cast: cast,
  CastLike: castLike,
  Ceil: ceil,
  Celu: celu,
  Choose: choose,
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
  LRN: lrn,
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

/** The same for ONNX's other domain, `ai.onnx.ml`. */
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

/** The rules for an operator that has none: only values pass through it. */
const unruled: Operator = {
  infer: (call) => call.unruled("is not an operator that espalier has rules for", call.node.op),
  gradient: "none",
  axes: () => ({ ties: [] }),
  // Two runs that feed it the same inputs get the same outputs.
  rounding: (call) =>
    call.inputBounds.every((bound) => bound === undefined)
      ? undefined
      : call.unruled("has no rounding rule", call.node.op),
};

/** The rules of a node's operator, or, if it has none, those that fit any node. */
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

/** Types of a node's outputs by its operator's shape rule. Throws `UNSUPPORTED_OPERATOR` if it has none. */
export const inferNode: Inference = (node, typeOf, constantOf) => {
  const infer = rulesOf(node)?.infer ?? typingOf(node) ?? typingWithBodies(node) ?? operatorOf(node).infer;
  return infer(new Call(node, typeOf, constantOf));
};

/** Shape rules of operators that contain graphs and have no other rules. */
const typingsWithBodies: Readonly<Record<string, Operator["infer"]>> = {
  If: branchesWith((node, typeOf, constantOf) => inferNode(node, typeOf, constantOf)),
};

function typingWithBodies({ domain, op }: Node): Operator["infer"] | undefined {
  return isStandard(domain) && Object.hasOwn(typingsWithBodies, op) ? typingsWithBodies[op] : undefined;
}

/** An empty graph that knows every operator's shape rule, to write what follows from `origin` into. */
export function newGraph(origin?: Origin): GraphBuilder {
  return new GraphBuilder(inferNode, origin);
}
