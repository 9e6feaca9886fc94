import { operatorOf } from "../../ops/index.ts";
import type { Contents } from "../../ops/rules/contents.ts";
import { anything, between, hull, type Interval } from "../../ops/rules/interval.ts";
import { intervalOf } from "../../ops/rules/interval-rules.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { isReal, realValues } from "../plan/real-parameter.ts";
import type { WidthPart } from "../plan/width.ts";
import { type AxisMap, axisKey, type NodeFlow } from "./axis-map.ts";
import type { Trace } from "./trace.ts";

/**
 * Why new units may be infinite or NaN where they meet zeros: 0 · NaN is NaN, so the outputs would change. Undefined if
 * they are finite there for all inputs. `fresh` says what they contain, by axis. Copies are as finite as the units that
 * they copy.
 */
export function whyNotFinite(
  flows: AxisMap,
  trace: Trace,
  parameters: ReadonlyMap<string, Tensor>,
  parts: readonly WidthPart[],
  fresh: ReadonlyMap<string, Contents>,
): string | undefined {
  const old = oldIntervals(flows, parameters);
  const added = new Map<string, Interval>();
  const blame = new Map<string, string>();
  for (const [key, { value }] of trace.visits) if (fresh.has(key)) added.set(value, anything);
  for (const part of parts) added.set(part.parameter, startOf(part, old.get(part.parameter) ?? anything));

  const metBy = ({ flow, contractions, nameOf }: NodeFlow): string | undefined => {
    const meeting = [
      ...contractions.flatMap(({ a, b }) => [a, b]),
      ...(flow.aggregates ?? []).map(({ at }) => at),
    ];
    for (const ref of meeting) {
      const held = fresh.get(axisKey(nameOf(ref), ref.axis));
      if (held === undefined || held === "copy" || held === "part") continue;
      const culprit = blame.get(nameOf(ref));
      if (culprit !== undefined) return culprit;
    }
    return undefined;
  };
  for (const nodeFlow of trace.nodes) {
    const { node, call } = nodeFlow;
    const culprit = metBy(nodeFlow);
    if (culprit !== undefined) return refusal(culprit);
    const carried = node.outputs.filter((value) => trace.values.has(value));
    if (carried.length === 0) continue;
    const inputs = call.node.inputs.map((name) => {
      if (name === "") return undefined;
      const grown = added.get(name);
      // Old units met the old values as well, and drawn weights are never zero.
      if (grown === undefined) return { ...(old.get(name) ?? anything), nonzero: true };
      return flows.constants.has(name) ? { ...grown, nonzero: true } : grown;
    });
    const interval = intervalOf(operatorOf(node), inputs, call);
    for (const name of carried) {
      added.set(name, interval);
      if (interval.holds === "finite") continue;
      const from = node.inputs.map((input) => blame.get(input)).find((one) => one !== undefined);
      const what = from ?? `${node.op} "${node.name || node.outputs[0]}"`;
      blame.set(name, what);
      const axes = flows.types.get(name)?.shape ?? [];
      if (axes.some((_, axis) => fresh.get(axisKey(name, axis)) === "zero")) return refusal(what);
    }
  }
  return undefined;
}

function refusal(culprit: string): string {
  return `${culprit} may not be finite for new units, and zero times NaN or infinity is NaN`;
}

/**
 * What a parameter's new slices contain. Strategies leave scales at 1 and shifts at 0, or copy a whole unit, which is
 * as finite as the old one.
 */
function startOf({ fill, role, zeroBlocks }: WidthPart, old: Interval): Interval {
  const zero = between(0, 0);
  const drawn = role === "scale" ? between(1, 1) : role === "shift" ? zero : anything;
  const own =
    fill === "zero" ? zero : fill === "strategy" ? drawn : fill === "part" ? hull(zero, old) : anything;
  return zeroBlocks === undefined ? own : hull(zero, own);
}

const known = new WeakMap<object, ReadonlyMap<string, Interval>>();

/**
 * The intervals of the values before growth, found once per analysis. Existing values are assumed to be finite. Of the
 * parameters only single numbers count (an epsilon, a limit): training changes all others.
 */
function oldIntervals(
  flows: AxisMap,
  parameters: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Interval> {
  const before = known.get(flows.epoch);
  if (before !== undefined) return before;
  const intervals = new Map<string, Interval>();
  for (const [name, tensor] of parameters) {
    const number = tensor.data.length === 1 && isReal(tensor.dtype) ? realValues(tensor)[0] : undefined;
    if (number !== undefined) intervals.set(name, between(number, number));
  }
  for (const { node, call } of flows.nodes) {
    const inputs = call.node.inputs.map((name) =>
      name === "" ? undefined : { ...(intervals.get(name) ?? anything), nonzero: true },
    );
    const interval: Interval = { ...intervalOf(operatorOf(node), inputs, call), holds: "finite" };
    for (const name of node.outputs) intervals.set(name, interval);
  }
  known.set(flows.epoch, intervals);
  return intervals;
}
