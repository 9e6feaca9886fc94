import type { DType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Shape } from "./dim.ts";

/** Remarks that do not affect the computation; they are kept from file to file. */
export interface Notes {
  readonly doc?: string;
  /** What the exporter recorded about the origin of a thing. */
  readonly metadata?: ReadonlyMap<string, string>;
}

/** Element type and symbolic shape of a value. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
  /** The elements of a small integer vector or scalar made of sizes (what Shape and similar operators compute). */
  readonly value?: Shape;
}

/** A named input or output of a graph. */
export interface Value extends ValueType {
  readonly name: string;
  readonly notes?: Notes;
}

/** A named input or output of a subgraph, whose type ONNX allows a file to leave to inference. */
export interface DeclaredValue {
  readonly name: string;
  readonly dtype?: DType;
  readonly shape?: Shape;
  readonly notes?: Notes;
}

/** An attribute of a node, tagged with its ONNX kind (an integer and a float differ on disk). */
export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "tensor"; readonly value: Tensor }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "graph"; readonly value: Subgraph };

export type Attributes = Readonly<Record<string, Attribute>>;

/** One operator call. An omitted optional input or output is the empty string, as in ONNX. */
export interface Node {
  readonly name: string;
  readonly op: string;
  /** "" for the standard ONNX operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
  readonly notes?: Notes;
}

/** Nodes in topological order, over named values. `parameters` are ONNX's initializers. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly notes?: Notes;
  /** Notes of the parameters that have any. */
  readonly parameterNotes?: ReadonlyMap<string, Notes>;
  /** Types of values that no operator's rule gives, as stated in the file. */
  readonly stated?: ReadonlyMap<string, ValueType>;
}

/** The body of a control-flow operator (If, Loop, Scan): it also sees the values of the graphs around it. */
export interface Subgraph extends Omit<Graph, "inputs" | "outputs"> {
  readonly inputs: readonly DeclaredValue[];
  readonly outputs: readonly DeclaredValue[];
}

/** An ONNX model as plain data. Nothing in the library mutates one: surgery returns a new model. */
export interface Model {
  readonly graph: Graph;
  readonly irVersion: number;
  /** Operator-set version of each domain; "" is the standard one. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly producer: string;
  readonly producerVersion?: string;
  /** Namespace of the model itself, as a reversed domain name. */
  readonly domain?: string;
  /** The producer's own version number of the model. */
  readonly version?: number;
  readonly doc?: string;
  readonly metadata: ReadonlyMap<string, string>;
}

/** What espalier writes: ONNX IR 9, opset 20 (the first with Gelu). */
export const defaultIrVersion = 9;
export const defaultOpset = 20;

export const int = (value: number): Attribute => ({ kind: "int", value });
export const float = (value: number): Attribute => ({ kind: "float", value });
export const text = (value: string): Attribute => ({ kind: "string", value });
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });

/** Wraps a graph as a model of the default IR and opset versions. */
export function makeModel(graph: Graph, metadata: ReadonlyMap<string, string> = new Map()): Model {
  return {
    graph,
    irVersion: defaultIrVersion,
    opsets: new Map([["", defaultOpset]]),
    producer: "espalier",
    metadata,
  };
}

/** The same model with other parameter values. */
export function withParameters(model: Model, parameters: ReadonlyMap<string, Tensor>): Model {
  return { ...model, graph: { ...model.graph, parameters } };
}
