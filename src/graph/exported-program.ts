import type { Graph, Node } from "./model.ts";

/** What PyTorch's dynamo exporter records about the program that it exported: which of its tensors are trained. */
export interface ExportedProgram {
  /** Names of the module's parameters, as in `named_parameters()`. */
  readonly parameters: ReadonlySet<string>;
  /** Names of its buffers and of constants in its code. */
  readonly constants: ReadonlySet<string>;
  /** Names of the parameters and constants that a node's call had in PyTorch; some have since been folded away. */
  given(node: Node): readonly string[];
  /** The name of the one that was argument `position` of the call. */
  argument(node: Node, position: number): string | undefined;
}

const signatureKey = "pkg.torch.export.ExportedProgram.graph_signature";
const callKey = "pkg.torch.onnx.fx_node";

/** What the file says about the program, if an exporter wrote it. A line of its signature: "p_l_bias: PARAMETER target='l.bias'". */
export function exportedProgram({ notes }: Graph): ExportedProgram | undefined {
  const text = notes?.metadata?.get(signatureKey);
  if (text === undefined) return undefined;
  const names = new Map<string, string>();
  const parameters = new Set<string>();
  const constants = new Set<string>();
  for (const [, argument = "", kind, target = ""] of text.matchAll(
    /^(\w+): (PARAMETER|BUFFER|CONSTANT_TENSOR) target='([^']*)'/gm,
  )) {
    names.set(argument, target);
    (kind === "PARAMETER" ? parameters : constants).add(target);
  }
  const callOf = (node: Node) => node.notes?.metadata?.get(callKey)?.split("args = (").at(1) ?? "";
  return {
    parameters,
    constants,
    given: (node) =>
      [...callOf(node).matchAll(/%(\w+)/g)].flatMap(([, argument = ""]) => names.get(argument) ?? []),
    argument: (node, position) => names.get(callOf(node).split(/[,)]/).at(position)?.trim().slice(1) ?? ""),
  };
}
