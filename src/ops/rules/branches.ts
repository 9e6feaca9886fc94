import type { Inference } from "../../graph/builder.ts";
import type { Dim } from "../../graph/dim.ts";
import type { Subgraph, ValueType } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Call, Operator } from "./operator.ts";
import { unknownSize } from "./sizes.ts";

/** Shape rule of If: the branches' common type, a new name for each size that differs. `infer`: for their nodes. */
export function branchesWith(infer: Inference): Operator["infer"] {
  return (call) => {
    const bodies = ["then_branch", "else_branch"].map((name) => {
      const body = Object.hasOwn(call.node.attributes, name) ? call.node.attributes[name] : undefined;
      return body?.kind === "graph" ? body.value : call.fail(`needs a graph as its ${name}`, body?.kind);
    });
    const [first, second] = bodies.map((body) => typesOfBody(call, body, infer));
    return call.node.outputs.map((_, index) => {
      const [a, b] = [first?.[index], second?.[index]];
      if (a === undefined || b === undefined || a.dtype !== b.dtype || a.shape.length !== b.shape.length) {
        return call.unruled("has a type only if both branches make tensors of one rank", [a, b]);
      }
      const shape = a.shape.map(
        (dim, axis): Dim => (dim === b.shape[axis] ? dim : unknownSize(call, axis, index)),
      );
      return { dtype: a.dtype, shape };
    });
  };
}

/** The types of a body's outputs, as its nodes' rules say or else as it declares. */
function typesOfBody(call: Call, body: Subgraph, infer: Inference): readonly (ValueType | undefined)[] {
  const types = new Map<string, ValueType>();
  for (const [name, { dtype, dims }] of body.parameters) types.set(name, { dtype, shape: dims });
  const typeOf = (name: string) => types.get(name) ?? call.typeNamed(name);
  const constantOf = (name: string) => body.parameters.get(name) ?? call.constantNamed(name);
  for (const node of body.nodes) {
    if (!node.inputs.every((name) => name === "" || typeOf(name) !== undefined)) continue;
    const made = attempt(() => infer(node, typeOf, constantOf));
    node.outputs.forEach((name, index) => {
      const type = made?.[index];
      if (name !== "" && type !== undefined) types.set(name, type);
    });
  }
  return body.outputs.map(({ name, dtype, shape }) => {
    const type = typeOf(name);
    if (type !== undefined) return type;
    return dtype === undefined || shape === undefined ? undefined : { dtype, shape };
  });
}

function attempt(run: () => readonly ValueType[]): readonly ValueType[] | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof EspalierError && error.code.startsWith("UNSUPPORTED")) return undefined;
    throw error;
  }
}
