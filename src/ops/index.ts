import type { Inference } from "../graph/builder.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Node } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import { add } from "./add.ts";
import { gemm } from "./gemm.ts";
import { Call, type Operator } from "./operator.ts";
import { relu } from "./relu.ts";

/** The one table of operators: ONNX's name to what espalier knows of it. */
export const operators = {
  Add: add,
  Gemm: gemm,
  Relu: relu,
} as const satisfies Readonly<Record<string, Operator>>;

/** The operators that espalier has rules for. */
export type OperatorName = keyof typeof operators;

/** The rules of a node's operator. Throws `UNSUPPORTED_OPERATOR`, naming the node and what is supported. */
export function operatorOf(node: Node): Operator {
  const standard = node.domain === "" || node.domain === "ai.onnx";
  if (standard && Object.hasOwn(operators, node.op)) return operators[node.op as OperatorName];
  throw new EspalierError("UNSUPPORTED_OPERATOR", {
    thing: `node "${node.name}"`,
    rule: "needs an operator that espalier has rules for",
    received: standard ? node.op : `${node.domain}.${node.op}`,
    remedy: `Supported: ${Object.keys(operators).join(", ")}.`,
  });
}

/** Types of a node's outputs by its operator's shape rule. */
export const inferNode: Inference = (node, typeOf, constantOf) =>
  operatorOf(node).infer(new Call(node, typeOf, constantOf));

/** An empty graph that knows every operator's shape rule. */
export function newGraph(): GraphBuilder {
  return new GraphBuilder(inferNode);
}
