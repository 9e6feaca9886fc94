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

export type {
  AxisRef,
  Block,
  Blocked,
  Carried,
  Flow,
  Grain,
  Pick,
  Place,
  Placed,
  Pool,
  Relations,
  Tie,
  Written,
} from "../ops/rules/flow.ts";
export type { Fresh, Refusal } from "../ops/rules/fresh.ts";
export type { Interval, Maximum } from "../ops/rules/interval.ts";
export type {
  Call,
  GradientCall,
  GraphCall,
  Link,
  Operator,
  RaisingCall,
  RoundingCall,
  TrainingCall,
  Unfolded,
} from "../ops/rules/operator.ts";
export type { DataOf, DType } from "../tensor/dtype.ts";
