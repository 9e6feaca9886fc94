import { isInvented, layerOfParameter, moduleOf } from "../../graph/layer-names.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { WidthPart } from "../plan/width.ts";
import { type AxisMap, axisKey } from "./axis-map.ts";
import type { Trace } from "./trace.ts";

/** The name of the layer that makes a width, from the model's own parameter names, else from those of its nodes. */
export function layerName(flows: AxisMap, seed: string, parts: readonly WidthPart[]): string {
  // The weight that a transpose or a cast reads has the better name.
  const own = parts.find((part) => part.parameter === seed) ?? parts.find((part) => part.role === "incoming");
  if (own !== undefined && own.parameter !== seed) return layerName(flows, own.parameter, parts);
  if (!isInvented(seed)) return layerOfParameter(seed);
  const reader = flows.nodesOn([seed]).find(({ node }) => node.inputs.includes(seed));
  const module = reader === undefined ? undefined : moduleOf(reader.node);
  if (module !== undefined) return module;
  for (const role of ["incoming", "shift", "scale", "offset"] as const) {
    const named = parts.find((part) => part.role === role && !isInvented(part.parameter));
    if (named !== undefined) return layerOfParameter(named.parameter);
  }
  return layerOfParameter(seed);
}

/** What one unit of a width is called, and the suffix that its id adds to the layer's name. */
export function unitName(
  flows: AxisMap,
  trace: Trace,
  parts: readonly WidthPart[],
  parameters: ReadonlyMap<string, Tensor>,
): { readonly unit: string; readonly suffix: string } {
  if (trace.factors.size > 0) return { unit: "query and key dimension", suffix: ".qk_dim" };
  const incoming = parts.filter((part) => part.role === "incoming");
  const weights = new Set(incoming.map(({ parameter }) => parameter));
  // Fixed blocks of an axis have nothing to do with the width.
  const cuts = incoming.map(({ layout }) => layout.filter((block) => !("fixed" in block)));
  const whole = cuts.some((cut) => cut.every((block) => "inner" in block && block.inner > 1));
  if (whole && isBatchOfProducts(flows, trace)) return { unit: "head", suffix: ".heads" };
  const spread = cuts.some((cut) => cut.length > 1);
  for (const { node, flow } of trace.nodes) {
    if (flow.unit !== undefined && node.inputs.some((name) => weights.has(name))) {
      if (whole) return { unit: "group", suffix: ".groups" };
      // Recurrent layers lay out their gates as blocks of one state.
      if (!spread || flow.unit === "state") return { unit: flow.unit, suffix: "" };
    }
  }
  if (whole) return { unit: "group", suffix: ".groups" };
  const convolved = incoming.some(({ parameter }) => (parameters.get(parameter)?.dims.length ?? 0) > 2);
  if (spread)
    return convolved
      ? { unit: "channel of each group", suffix: ".per_group" }
      : { unit: "head dimension", suffix: ".head_dim" };
  return { unit: convolved ? "channel" : "neuron", suffix: "" };
}

/** Whether two activations are multiplied unit by unit, as attention does with its heads. */
function isBatchOfProducts(flows: AxisMap, trace: Trace): boolean {
  return trace.nodes.some(({ node, flow }) => {
    if (flow.roles?.some(({ role }) => role === "outgoing") !== true) return false;
    const carrying = node.inputs.filter(
      (name) =>
        !flows.constants.has(name) &&
        (flows.types.get(name)?.shape ?? []).some((_, axis) => trace.visits.has(axisKey(name, axis))),
    );
    return new Set(carrying).size > 1;
  });
}
