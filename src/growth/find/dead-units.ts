import type { WidthPart } from "../plan/width.ts";
import { type AxisMap, axisKey } from "./axis-map.ts";
import type { Trace } from "./trace.ts";

/**
 * Why units that start as zeros would never learn: whatever reads them with weights that are not zero comes after a function
 * that is flat at zero. Undefined if a gradient reaches them.
 */
export function whyDead(flows: AxisMap, trace: Trace, parts: readonly WidthPart[]): string | undefined {
  const drawn = new Set(
    parts
      .filter(({ role, fill }) => role === "outgoing" && fill !== "zero")
      .map(({ parameter }) => parameter),
  );
  const alive = new Set<string>();
  let culprit: string | undefined;
  for (const { node, flow, contractions, nameOf } of [...trace.nodes].reverse()) {
    const read = contractions.some(({ a, b }) => [a, b].some((ref) => isDrawn(nameOf(ref), ref.axis)));
    const passes = node.outputs.some((name) => alive.has(name));
    if (passes && flow.atZero === "flat") culprit ??= `${node.op} "${node.name || node.outputs[0]}"`;
    else if (passes || read) for (const name of node.inputs) if (trace.values.has(name)) alive.add(name);
  }
  const made = parts.filter(({ role }) => role === "incoming").map(({ parameter }) => parameter);
  if (culprit === undefined || made.some((name) => alive.has(name))) return undefined;
  return `${culprit} has slope 0 at zero, so units that start as zeros would be dead`;

  /** Also if it is a transposed or reshaped weight. */
  function isDrawn(name: string, axis: number): boolean {
    if (!flows.constants.has(name)) return false;
    return !flows.parameters.has(name) ? trace.visits.has(axisKey(name, axis)) : drawn.has(name);
  }
}
