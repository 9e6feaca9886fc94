import type { Attribute } from "../../graph/model.ts";

/**
 * Field numbers of the ONNX messages that espalier reads or writes, by message, as the ONNX schema
 * (onnx.proto, IR versions 3 to 14) assigns them.
 */
export const modelFields = {
  irVersion: 1,
  producerName: 2,
  producerVersion: 3,
  domain: 4,
  modelVersion: 5,
  docString: 6,
  graph: 7,
  opsetImport: 8,
  metadataProps: 14,
  functions: 25,
} as const;

export const graphFields = {
  node: 1,
  name: 2,
  initializer: 5,
  docString: 10,
  input: 11,
  output: 12,
  valueInfo: 13,
  sparseInitializer: 15,
  metadataProps: 16,
} as const;

export const nodeFields = {
  input: 1,
  output: 2,
  name: 3,
  opType: 4,
  attribute: 5,
  docString: 6,
  domain: 7,
  overload: 8,
  metadataProps: 9,
} as const;

export const functionFields = {
  name: 1,
  input: 4,
  output: 5,
  attribute: 6,
  node: 7,
  opsetImport: 9,
  domain: 10,
  attributeProto: 11,
  overload: 13,
} as const;

export const attributeFields = {
  name: 1,
  f: 2,
  i: 3,
  s: 4,
  t: 5,
  g: 6,
  floats: 7,
  ints: 8,
  strings: 9,
  type: 20,
  refAttrName: 21,
} as const;

export const tensorFields = {
  dims: 1,
  dataType: 2,
  segment: 3,
  floatData: 4,
  int32Data: 5,
  stringData: 6,
  int64Data: 7,
  name: 8,
  rawData: 9,
  doubleData: 10,
  uint64Data: 11,
  docString: 12,
  externalData: 13,
  dataLocation: 14,
  metadataProps: 16,
} as const;

export const valueFields = { name: 1, type: 2, docString: 3, metadataProps: 4 } as const;
export const typeFields = { tensorType: 1, denotation: 6 } as const;
export const tensorTypeFields = { elemType: 1, shape: 2 } as const;
export const shapeFields = { dim: 1 } as const;
export const dimensionFields = { dimValue: 1, dimParam: 2 } as const;
export const opsetFields = { domain: 1, version: 2 } as const;
export const entryFields = { key: 1, value: 2 } as const;

/** TensorProto.DataLocation of a tensor whose elements are in another file. */
export const externalLocation = 1;

/** AttributeProto.AttributeType of each kind that a model can contain. */
export const attributeTypes: { readonly [K in Attribute["kind"]]: number } = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
};

/** AttributeProto.AttributeType of unsupported kinds, to name them in errors. */
export const otherAttributeTypes: Readonly<Record<number, string>> = {
  9: "tensors",
  10: "graphs",
  11: "sparse_tensor",
  12: "sparse_tensors",
  13: "type_proto",
  14: "type_protos",
};

/** TypeProto fields of the kinds of value other than dense tensors, to name them in errors. */
export const otherValueTypes: Readonly<Record<number, string>> = {
  4: "sequence",
  5: "map",
  7: "opaque",
  8: "sparse tensor",
  9: "optional",
};

/** TensorProto.DataType of unsupported element types, to name them in errors. */
export const otherDataTypes: Readonly<Record<number, string>> = {
  0: "undefined",
  14: "complex64",
  15: "complex128",
  17: "float8e4m3fn",
  18: "float8e4m3fnuz",
  19: "float8e5m2",
  20: "float8e5m2fnuz",
  21: "uint4",
  22: "int4",
  23: "float4e2m1",
  24: "float8e8m0",
  25: "uint2",
  26: "int2",
  27: "float6e2m3",
  28: "float6e3m2",
};
