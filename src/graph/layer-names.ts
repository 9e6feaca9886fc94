import type { Node } from "./model.ts";

/** Names that exporters invent for folded weights, which mean nothing to people. */
const invented = /^(onnx::|val_\d|_?\d+$|_v_\d|constant)/i;

export function isInvented(parameter: string): boolean {
  return invented.test(parameter);
}

/** The last part of a parameter's name, which gives its role in the layer. */
const suffix = /(\/[^/]+\/ReadVariableOp|[./_]?(weight|kernel|bias|gamma|beta|W|B))(:0)?$/;

/** "encoder.fc" for "encoder.fc.weight", "model/conv" for "model/conv/BiasAdd/ReadVariableOp:0". */
export function layerOfParameter(parameter: string): string {
  return parameter.replace(suffix, "") || parameter;
}

/** The module that a node belongs to, if an exporter says so: "encoder.layers.0.fc". */
export function moduleOf(node: Node): string | undefined {
  return fromScopes(node.notes?.metadata?.get("pkg.torch.onnx.name_scopes")) ?? fromPath(node.name);
}

/** PyTorch's dynamo exporter: "['', 'encoder', 'encoder.fc', 'linear_3']", modules from the outside in, then the call. */
function fromScopes(text: string | undefined): string | undefined {
  const scopes = text?.match(/'[^']*'/g)?.map((quoted) => quoted.slice(1, -1)) ?? [];
  return scopes.at(-2) || undefined;
}

/** PyTorch's TorchScript exporter names nodes "/encoder/layers.0/fc/MatMul". */
function fromPath(name: string): string | undefined {
  const modules = name.split("/").slice(1, -1);
  // A child of a container repeats the container's name: "/down1/down1.0/Conv".
  const own = modules.filter((module, at) => !modules[at + 1]?.startsWith(`${module}.`));
  return own.length === 0 ? undefined : own.join(".");
}
