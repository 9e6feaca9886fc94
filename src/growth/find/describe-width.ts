import type { Dim } from "../../graph/dim.ts";
import { carriesUnits, layoutDim, layoutSize } from "../../graph/layout.ts";
import type { Model } from "../../graph/model.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { isReal } from "../plan/real-parameter.ts";
import type { Width, WidthAxis, WidthPart, WrittenSize } from "../plan/width.ts";
import { type AxisMap, axisKey, type NodeFlow } from "./axis-map.ts";
import { contentsOf, type WidthContents } from "./contents.ts";
import { whyDead } from "./dead-units.ts";
import { copies, type Method, methods, zeroPadding } from "./methods.ts";
import { layerName, unitName } from "./naming.ts";
import type { Trace } from "./trace.ts";
import { type GrownTrial, tryGrowth } from "./trial.ts";

/** What a description depends on besides the trace. */
export interface Described {
  /** The parameter, or the input or output, that gives the width its name. */
  readonly name: string;
  /** Set if it is inputs or outputs of the model that grow. */
  readonly border?: "input" | "output";
  /** The methods to try, in order. Default: all. */
  readonly methods?: readonly Method[];
}

/** Describes a trace: what it is called, whether it can grow without changing what the network computes, and how. */
export function describeWidth(flows: AxisMap, trace: Trace, described: Described): Width {
  const { name, border } = described;
  const { parameters } = flows;
  const size = trace.start.units;
  const carried = carriedBy(flows, trace);
  const writtenBy = (nodeFlow: NodeFlow) => writtenSizes(flows, trace, nodeFlow);
  const follows = trace.nodes.flatMap(writtenBy);
  let reason = firstReason(flows, trace, border);
  let chosen: (WidthContents & { readonly trial: GrownTrial; readonly multiple: number }) | undefined;
  const tried = described.methods ?? methods;
  let method = tried[0] as Method;
  // New inputs and outputs may mean anything to their users: only the existing ones must stay.
  const candidates = border === undefined ? tried : tried.slice(0, 1);
  for (const candidate of reason === undefined ? candidates : []) {
    const contents = contentsOf(flows, trace, parameters, candidate);
    const multiple = candidate.whole ? size : 1;
    const trial =
      "blocked" in contents
        ? contents
        : tryGrowth(flows.graph, { ...contents, size, carried, written: follows }, size + multiple, (node) =>
            flows
              .nodesOn(node.outputs)
              .filter((one) => one.node === node)
              .flatMap(writtenBy),
          );
    if ("blocked" in trial) {
      reason ??= trial.blocked;
      continue;
    }
    const dead =
      candidate === zeroPadding ? whyDead(flows, trace, (contents as WidthContents).parts) : undefined;
    if (dead !== undefined) {
      reason = reason === undefined ? dead : `${reason}, and ${dead}`;
      continue;
    }
    chosen = { ...(contents as WidthContents), trial, multiple };
    method = candidate;
    break;
  }
  const parts = chosen?.parts ?? partsOf(flows, trace, parameters);
  const named = nameOf(flows, trace, parts, parameters, {
    name,
    ...(border === undefined ? {} : { border }),
  });
  const perUnit = chosen?.trial.cost ?? { parameters: parametersPerUnit(parts, parameters, size), flops: 0 };
  return {
    ...named,
    size,
    growable: chosen !== undefined,
    reason: chosen === undefined ? (reason ?? "no method grows it exactly") : "",
    method: method.name,
    multiple: chosen?.multiple ?? 1,
    parts,
    reads: trace.reads,
    carried,
    written: chosen?.trial.written ?? [],
    repairs: chosen?.repairs ?? [],
    zeroIncoming: () =>
      method.name === "zero outgoing"
        ? zeroIncomingRefusal(flows, trace, parameters)
        : `its new units are made by ${method.name}`,
    copying: () =>
      method.name === "zero outgoing"
        ? copyingRefusal(flows, trace, parameters)
        : `its new units are made by ${method.name}`,
    costPerUnit: perUnit,
  };
}

/** See {@link Width.zeroIncoming}. */
function zeroIncomingRefusal(flows: AxisMap, trace: Trace, parameters: Model["graph"]["parameters"]): string {
  for (const { node, flow } of trace.nodes) {
    if (flow.atZero === undefined || !node.outputs.some((value) => trace.values.has(value))) continue;
    const name = `${node.op} "${node.name || node.outputs[0]}"`;
    return flow.atZero === "flat"
      ? `${name} has slope 0 at zero, so units with zero incoming weights would be dead`
      : `${name} multiplies the gradient of units that are zero by one over the root of its epsilon`;
  }
  const contents = contentsOf(flows, trace, parameters, zeroPadding);
  return "blocked" in contents
    ? `with zero incoming weights new units would move the outputs: ${contents.blocked}`
    : "";
}

/** See {@link Width.copying}. */
function copyingRefusal(flows: AxisMap, trace: Trace, parameters: Model["graph"]["parameters"]): string {
  const contents = contentsOf(flows, trace, parameters, copies);
  if ("blocked" in contents) return `copies would move the outputs: ${contents.blocked}`;
  return contents.repairs.length > 0 ? "something is summed over all its units, copies included" : "";
}

/** Why a trace cannot grow by any method. */
function firstReason(flows: AxisMap, trace: Trace, border: Described["border"]): string | undefined {
  const [first] = trace.reasons;
  if (first !== undefined) return first;
  let consumed = trace.factors.size > 0;
  for (const { value, axis } of trace.visits.values()) {
    const tensor = flows.parameters.get(value);
    if (tensor !== undefined && !isReal(tensor.dtype))
      return `"${value}" contains ${tensor.dtype}, not real numbers`;
    consumed ||= flows.rolesAt(value, axis).includes("outgoing");
  }
  if (consumed || border === "output") return undefined;
  return takenTogether(trace) ?? "nothing consumes it";
}

/** What computes one result from all units, which new ones would change: the end of a width that no weight reads. */
function takenTogether(trace: Trace): string | undefined {
  for (const { node, flow, nameOf } of trace.nodes) {
    for (const { at, accepts } of flow.aggregates ?? []) {
      if (!trace.visits.has(axisKey(nameOf(at), at.axis))) continue;
      const answer = accepts("any");
      if ("blocked" in answer) return `${node.op} "${node.name || node.outputs[0]}": ${answer.blocked}`;
    }
  }
  return undefined;
}

function nameOf(
  flows: AxisMap,
  trace: Trace,
  parts: readonly WidthPart[],
  parameters: Model["graph"]["parameters"],
  { name, border }: Described,
): Pick<Width, "id" | "unit"> {
  if (border !== undefined) return { id: name, unit: border };
  const { unit, suffix } = unitName(flows, trace, parts, parameters);
  return { id: layerName(flows, name, parts) + suffix, unit };
}

/** The parameters of a width that has no method, for people to read. */
function partsOf(
  flows: AxisMap,
  trace: Trace,
  parameters: Model["graph"]["parameters"],
): readonly WidthPart[] {
  return [...trace.visits.values()]
    .filter(({ value }) => parameters.has(value))
    .map(({ value, axis, layout }) => ({
      parameter: value,
      axis,
      layout,
      role: flows.rolesAt(value, axis)[0] ?? "shift",
      fill: "strategy",
    }));
}

function carriedBy(flows: AxisMap, trace: Trace): readonly WidthAxis[] {
  return [...trace.visits.values()]
    .filter(({ value, layout }) => flows.types.has(value) && carriesUnits(layout))
    .map(({ value, axis, layout }) => ({ value, axis, layout }));
}

/**
 * The integers of a node that are sizes of the width's axes; and those that are sizes of other axes but are computed:
 * the computation may start from an axis that grows (a head's size as the stream's divided by the number of heads).
 */
function writtenSizes(
  { types, parameters }: AxisMap,
  trace: Trace,
  { node, flow, nameOf }: NodeFlow,
): readonly WrittenSize[] {
  return (flow.written ?? []).flatMap(({ at, place, becomes = layoutDim }): WrittenSize[] => {
    const visit = trace.visits.get(axisKey(nameOf(at), at.axis));
    const given = "input" in place ? (node.inputs[place.input] ?? "") : "";
    const before = types.get(given)?.value?.["element" in place ? (place.element ?? 0) : 0];
    if (visit === undefined && (before === undefined || parameters.has(given))) return [];
    return [
      {
        node: node.outputs.find((name) => name !== "") ?? "",
        ...place,
        becomes: (units) => (visit === undefined ? (before as Dim) : becomes(visit.layout, units)),
      },
    ];
  });
}

function parametersPerUnit(
  parts: readonly WidthPart[],
  parameters: Model["graph"]["parameters"],
  units: number,
): number {
  let count = 0;
  for (const { parameter, axis, layout } of parts) {
    const dims = parameters.get(parameter)?.dims ?? [];
    const positions = layoutSize(layout, units) - layoutSize(layout, units - 1);
    count += (sizeOf(dims) / (dims[axis] ?? 1)) * positions;
  }
  return count;
}
