import type { Dim } from "../../graph/dim.ts";
import type { Attribute, Node } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";

/** Throws `NOT_GROWABLE`: the value cannot grow this way. */
export function refuse(value: string, rule: string): never {
  throw new EspalierError("NOT_GROWABLE", { thing: `value "${value}"`, rule, received: "a growth" });
}

/** The node with another integer in an attribute, or in an element of one. */
export function withAttribute(node: Node, name: string, element: number | undefined, size: Dim): Node {
  if (typeof size !== "number")
    refuse(node.outputs[0] ?? "", `cannot represent the size ${size} in its ${name}`);
  const to = size;
  const old = node.attributes[name];
  let next: Attribute | undefined;
  if (old?.kind === "int" && element === undefined) next = { kind: "int", value: to };
  if (old?.kind === "ints" && element !== undefined) {
    next = { kind: "ints", value: old.value.map((value, index) => (index === element ? to : value)) };
  }
  // An absent attribute has its default; a growth that changes it writes it out.
  if (old === undefined && element === undefined) next = { kind: "int", value: to };
  if (next === undefined) refuse(node.outputs[0] ?? "", `has no attribute ${name} that could grow`);
  return { ...node, attributes: { ...node.attributes, [name]: next } };
}

/** The node with a real attribute multiplied by a factor. */
export function withScaledAttribute(node: Node, name: string, otherwise: number, factor: number): Node {
  const old = node.attributes[name];
  const value = old?.kind === "float" ? old.value : otherwise;
  return {
    ...node,
    attributes: { ...node.attributes, [name]: { kind: "float", value: Math.fround(value * factor) } },
  };
}
