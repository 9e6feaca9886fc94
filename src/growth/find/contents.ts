import { carriesUnits } from "../../graph/layout.ts";
import type { Role } from "../../ops/rules/axis-rule.ts";
import type { Contents } from "../../ops/rules/contents.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { freshOf } from "../plan/fill.ts";
import type { NodeRepair, WidthPart } from "../plan/width.ts";
import { type AttentionKeys, attentionKeys, reachedBy } from "./attention-keys.ts";
import { type AxisMap, axisKey, type Step } from "./axis-map.ts";
import { whyNotFinite } from "./finite.ts";
import { FollowedContents, followContents } from "./follow-contents.ts";
import type { Method } from "./methods.ts";
import type { Trace } from "./trace.ts";

/** How a method would grow a traced width. */
export interface WidthContents {
  readonly parts: readonly WidthPart[];
  readonly repairs: readonly NodeRepair[];
}

/**
 * Follows what new units would contain through the graph, starting at the parameters, if a method filled them. Returns
 * the reason if the outputs would change.
 */
export function contentsOf(
  flows: AxisMap,
  trace: Trace,
  parameters: ReadonlyMap<string, Tensor>,
  method: Method,
): WidthContents | { readonly blocked: string } {
  const fresh = new Map<string, Contents>();
  const parts: WidthPart[] = [];
  const factors = attentionKeys(flows, trace, parameters);
  let split = false;
  for (const [key, { value, axis, layout }] of trace.visits) {
    const tensor = parameters.get(value);
    if (tensor === undefined) {
      // An input that grows: the caller may put anything there.
      if (flows.borderAt(value, axis)?.startsWith("input") === true) fresh.set(key, "any");
      continue;
    }
    const roles = rolesOf(flows, trace, value, axis);
    const role = mainRole(roles);
    if (role === undefined) return { blocked: `no rule says how to fill "${value}" on axis ${axis}` };
    const tied = roles.includes("incoming") && roles.includes("outgoing");
    const blocks = factors.blocksOf.get(key) ?? [];
    const fills = [false, true].map((second) => method.fill({ role, tied, second }));
    const mixed = new Set(blocks).size > 1 && fills[0] !== fills[1];
    const fill = fills[mixed ? 0 : Number(blocks[0] ?? false)];
    if (fill === undefined) return { blocked: `"${value}" both makes and reads it` };
    if (mixed && fills[1] !== "zero") return { blocked: `"${value}" makes both factors of a product` };
    if (fill === "mean" && isNarrow(tensor.dtype)) {
      return { blocked: `"${value}" is too narrow to represent a mean` };
    }
    split ||= mixed;
    const zeroBlocks = mixed
      ? { zeroBlocks: blocks.flatMap((second, block) => (second ? [block] : [])) }
      : {};
    const given = tied && fill !== "zero" ? "incoming" : role;
    parts.push({ parameter: value, axis, role: given, layout, fill, ...zeroBlocks });
    fresh.set(key, mixed ? "any" : freshOf(fill, role));
  }
  // If one parameter makes both factors, the second is followed separately.
  const zeros = split ? zeroFactors(flows, trace, parts, fresh, factors) : new Set<string>();
  // A shift after a normalization that is written out as nodes is an offset: nothing else distinguishes its new units.
  const offset = method.fill({ role: "offset", tied: false, second: false });
  const places = new Map(parts.map((part, at) => [keyOf(part), at]));
  const isOffset = (key: string) => {
    const at = places.get(key) ?? -1;
    const part = parts[at];
    if (part?.role !== "shift" || part.fill !== "mean" || offset === undefined) return false;
    parts[at] = { ...part, role: "offset", fill: offset };
    fresh.set(key, freshOf(offset, "offset"));
    given.set(key, freshOf(offset, "offset"));
    return true;
  };
  if (method.clearsLastNorm === true && !clearLastNorm(flows, trace, fresh, parts)) {
    return {
      blocked: "a weight both makes and reads it, and no normalization before it could leave copies out",
    };
  }
  const given = new Map(fresh);
  const shifts = [...parts];
  let follow = followContents(flows, trace, fresh, zeros, isOffset);
  // What became an offset may have been added before the normalization too, as a shift.
  const hasOffsets = parts.some((part, at) => part !== shifts[at]);
  if (hasOffsets && !("blocked" in follow)) follow = followContents(flows, trace, new Map(given), zeros);
  if ("blocked" in follow) return follow;
  const relaxed = method.relaxesOffsets === true ? relaxOffsets(flows, trace, given, zeros, parts) : parts;
  const culprit = whyNotFinite(flows, trace, parameters, relaxed, fresh);
  if (culprit !== undefined) return { blocked: culprit };
  return { parts: relaxed, repairs: follow.repairs };
}

/**
 * Lets the last normalization that has weights over the width scale and shift new units by zero. False if the contents
 * still cannot pass.
 */
function clearLastNorm(
  flows: AxisMap,
  trace: Trace,
  fresh: Map<string, Contents>,
  parts: WidthPart[],
): boolean {
  // Copies that no weight is tied to do not need this; products of two activations are another matter.
  const isTied = ({ parameter, axis }: WidthPart) => {
    const roles = rolesOf(flows, trace, parameter, axis);
    return roles.includes("incoming") && roles.includes("outgoing");
  };
  if (trace.factors.size > 0 || !parts.some(isTied)) return false;
  const isOfNorm = ({ role }: WidthPart) => role === "scale" || role === "offset";
  const own = new Map(parts.filter(isOfNorm).map((part) => [part.parameter, part]));
  const read = trace.nodes.flatMap(({ node }) => node.inputs.flatMap((name) => own.get(name) ?? []));
  for (const count of [1, 2]) {
    const last = read.slice(-count);
    const tried = new Map(fresh);
    for (const { parameter, axis } of last) tried.set(axisKey(parameter, axis), "zero");
    if ("blocked" in followContents(flows, trace, new Map(tried), new Set())) continue;
    for (const part of last) {
      parts[parts.indexOf(part)] = { ...part, fill: "zero" };
      fresh.set(axisKey(part.parameter, part.axis), "zero");
    }
    return true;
  }
  return false;
}

/** Draws every offset that need not be zero: one after a normalization that no tied weight reads. */
function relaxOffsets(
  flows: AxisMap,
  trace: Trace,
  given: ReadonlyMap<string, Contents>,
  zeros: ReadonlySet<string>,
  parts: readonly WidthPart[],
): readonly WidthPart[] {
  const isOpen = ({ role, fill }: WidthPart) => role === "offset" && fill === "zero";
  if (!parts.some(isOpen)) return parts;
  const fresh = new Map(given);
  for (const part of parts) fresh.set(keyOf(part), freshOf(part.fill, part.role));
  const followed = new FollowedContents(flows, trace, fresh, zeros);
  return parts.map((part) => {
    const { parameter, axis, role } = part;
    const isDrawn = isOpen(part) && followed.accept(parameter, axis, freshOf("offset", role));
    return isDrawn ? { ...part, fill: "offset" } : part;
  });
}

const keyOf = ({ parameter, axis }: WidthPart) => axisKey(parameter, axis);

/** The second factors that are zero if the blocks of parameters that make them are; other parameters contain `given`. */
export function zeroFactors(
  flows: AxisMap,
  trace: Trace,
  parts: readonly WidthPart[],
  given: ReadonlyMap<string, Contents>,
  { made }: AttentionKeys,
): ReadonlySet<string> {
  const visits = reachedBy(made);
  const values = new Set([...visits.values()].map(({ value }) => value));
  const fresh = new Map<string, Contents>();
  for (const { parameter, axis, zeroBlocks } of parts) {
    const key = axisKey(parameter, axis);
    if (visits.has(key)) fresh.set(key, zeroBlocks === undefined ? (given.get(key) as Contents) : "zero");
  }
  followContents(flows, { ...trace, visits, values, nodes: flows.nodesOn(values) }, fresh, new Set());
  const isZero = ([key, factor]: readonly [string, string]) =>
    factor === "second" && fresh.get(key) === "zero";
  return new Set([...trace.factors].filter(isZero).map(([key]) => key));
}

const isNarrow = (dtype: DType | undefined) => dtype === "float16" || dtype === "bfloat16";

/** Roles of a parameter's axis: those that its readers give it, also after a transpose or reshape. */
export function rolesOf(flows: AxisMap, trace: Trace, value: string, axis: number): readonly Role[] {
  const roles = rolesBehind(flows, trace, { value, axis }, ({ value: made }) => flows.constants.has(made));
  // A table of positions that is cut to a computed length is not a constant, but contains nothing else either.
  return roles.length > 0
    ? roles
    : rolesBehind(flows, trace, { value, axis }, ({ node }, from) =>
        node.inputs.every((given) => given === from || !trace.values.has(given)),
      );
}

/** Roles that are given to an axis, or to what nodes make of it, step by step while `passes` allows. */
function rolesBehind(
  flows: AxisMap,
  trace: Trace,
  start: { readonly value: string; readonly axis: number },
  passes: (step: Step, from: string) => boolean,
): readonly Role[] {
  const roles: Role[] = [];
  const seen = new Set<string>();
  const queue = [start];
  for (let at = 0; at < queue.length; at++) {
    const { value: name, axis: position } = queue[at] as typeof start;
    const key = axisKey(name, position);
    const visit = trace.visits.get(key);
    if (visit === undefined || seen.has(key)) continue;
    seen.add(key);
    roles.push(...flows.rolesAt(name, position));
    for (const step of flows.stepsFrom(name, position)) {
      const carried = step.carry(visit.layout);
      const through = step.node.outputs.includes(step.value) && passes(step, name);
      if (through && !("blocked" in carried) && carriesUnits(carried)) queue.push(step);
    }
  }
  return roles;
}

/** If roles differ, outgoing wins, since zeros keep the function; then what makes the unit. */
function mainRole(roles: readonly Role[]): Role | undefined {
  const order: readonly Role[] = ["outgoing", "incoming", "offset", "scale", "shift"];
  return order.find((role) => roles.includes(role));
}
