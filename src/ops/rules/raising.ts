import { type Attribute, type Attributes, int, type Node } from "../../graph/model.ts";
import { codeOfDtype } from "./element-types.ts";
import type { UpgradeCall } from "./operator.ts";

/** The node's attributes without those called `names`. */
export function attributesWithout(node: Node, names: readonly string[]): Attributes {
  return Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name)));
}

/**
 * Upgrade rule of operators whose attributes became inputs 1, 2, ... in newer opsets: lists of integers
 * (axes, sizes) or one, and numbers of the element type of input 0 (limits). A node with none of them stays as it is.
 */
export function attributesAsInputs(...names: readonly string[]): (call: UpgradeCall) => Node {
  return (call) => {
    const { node } = call;
    if (!names.some((name) => Object.hasOwn(node.attributes, name))) return node;
    const given = names.map((name) => {
      const attribute = Object.hasOwn(node.attributes, name) ? node.attributes[name] : undefined;
      return attribute === undefined ? "" : inputOf(call, name, attribute);
    });
    while (given.at(-1) === "") given.pop();
    const inputs = [node.inputs[0] as string, ...given];
    return { ...node, inputs, attributes: attributesWithout(node, names) };
  };
}

function inputOf(call: UpgradeCall, name: string, attribute: Attribute): string {
  const { graph } = call;
  if (attribute.kind === "ints") return graph.vector(attribute.value);
  if (attribute.kind === "int") return graph.vector([attribute.value]);
  if (attribute.kind !== "float") call.fail(`attribute ${name} must be a number or a list`, attribute.kind);
  const number = graph.scalar(attribute.value);
  const { dtype } = call.input(0);
  return dtype === "float32" ? number : graph.emit("Cast", [number], { to: int(codeOfDtype(dtype)) });
}
