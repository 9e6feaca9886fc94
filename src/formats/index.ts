// espalier/onnx: models as bytes and as plain data.

// Bytes

export {
  type DecodeOptions,
  decodeModel,
  type ExternalFiles,
  encodeModel,
  encodeModelChunks,
  type Limits,
  type SplitModel,
  splitModel,
} from "./onnx/index.ts";
export { decodeSafetensors, encodeSafetensors, type Safetensors } from "./safetensors.ts";

// A model as data

export { GraphBuilder, type Inference, type Origin } from "../graph/builder.ts";
export type { Dim, Shape } from "../graph/dim.ts";
export type {
  Attribute,
  Attributes,
  DeclaredValue,
  Graph,
  Model,
  Node,
  Notes,
  Subgraph,
  Value,
  ValueType,
} from "../graph/model.ts";
export { makeModel } from "../graph/model.ts";

// An operator

export type { FoldedModel } from "../ops/rewrites/floats/fold-integers.ts";
export type {
  Aggregate,
  AxisRef,
  AxisRule,
  Blocked,
  BlockedAxis,
  Carried,
  Grain,
  Pick,
  Place,
  Placed,
  Relations,
  Tie,
  Written,
} from "../ops/rules/axis-rule.ts";
export type { Contents, Refusal } from "../ops/rules/contents.ts";
export type { Interval, Maximum } from "../ops/rules/interval.ts";
export type {
  Call,
  GradientCall,
  GraphCall,
  Link,
  Operator,
  RoundingCall,
  TrainingCall,
  Unfolded,
  UpgradeCall,
} from "../ops/rules/operator.ts";
export type { DataOf, DType } from "../tensor/dtype.ts";
