import { carriesUnits, type Layout, sameLayout, unitLayout } from "../../graph/layout.ts";
import type { AxisRef, Pool, Relations, Repair, Role } from "../../ops/rules/flow.ts";
import { elementwise, type Fresh, type Refusal } from "../../ops/rules/fresh.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { freshOf } from "../plan/fill.ts";
import type { NodeRepair, WidthPart } from "../plan/width.ts";
import { whyNotFinite } from "./finite.ts";
import { axisKey, type FlowMap, type NodeFlow, type Step } from "./flow-map.ts";
import type { Method } from "./methods.ts";
import { reachedBy, type SecondFactors, secondFactors } from "./second-factors.ts";
import type { Trace, Visit } from "./trace.ts";

/** How a method would grow a traced width. */
export interface Contents {
  readonly parts: readonly WidthPart[];
  readonly repairs: readonly NodeRepair[];
}

/**
 * Follows what new units would hold through the graph, from the parameters on, if a method filled them. Returns the
 * reason where the outputs would change.
 */
export function contentsOf(
  flows: FlowMap,
  trace: Trace,
  parameters: ReadonlyMap<string, Tensor>,
  method: Method,
): Contents | { readonly blocked: string } {
  const fresh = new Map<string, Fresh>();
  const parts: WidthPart[] = [];
  const factors = secondFactors(flows, trace, parameters);
  let split = false;
  for (const [key, { value, axis, layout }] of trace.visits) {
    const tensor = parameters.get(value);
    if (tensor === undefined) {
      // What the caller will put into an input that grows.
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
      return { blocked: `"${value}" is too narrow to hold a mean` };
    }
    split ||= mixed;
    const zeroBlocks = mixed
      ? { zeroBlocks: blocks.flatMap((second, block) => (second ? [block] : [])) }
      : {};
    const given = tied && fill !== "zero" ? "incoming" : role;
    parts.push({ parameter: value, axis, role: given, layout, fill, ...zeroBlocks });
    fresh.set(key, mixed ? "any" : freshOf(fill, role));
  }
  // Where one parameter makes both factors, the second is followed by itself.
  const zeros = split ? zeroFactors(flows, trace, parts, fresh, factors) : new Set<string>();
  // A shift behind a normalisation that is written out is an offset: nothing else tells its new units apart.
  const offset = method.fill({ role: "offset", tied: false, second: false });
  const isOffset = (key: string) => {
    const at = parts.findIndex(({ parameter, axis }) => axisKey(parameter, axis) === key);
    const part = parts[at];
    if (part?.role !== "shift" || part.fill !== "mean" || offset === undefined) return false;
    parts[at] = { ...part, role: "offset", fill: offset };
    fresh.set(key, freshOf(offset, "offset"));
    given.set(key, freshOf(offset, "offset"));
    return true;
  };
  const given = new Map(fresh);
  const shifts = [...parts];
  let follow = followContents(flows, trace, fresh, zeros, isOffset);
  // What became an offset may have been added before the normalisation too, as a shift.
  const hasOffsets = parts.some((part, at) => part !== shifts[at]);
  if (hasOffsets && !("blocked" in follow)) follow = followContents(flows, trace, new Map(given), zeros);
  if ("blocked" in follow) return follow;
  const relaxed = method.relaxesOffsets === true ? relaxOffsets(flows, trace, given, zeros, parts) : parts;
  const culprit = whyNotFinite(flows, trace, parameters, relaxed, fresh);
  if (culprit !== undefined) return { blocked: culprit };
  return { parts: relaxed, repairs: follow.repairs };
}

/** Draws every offset that need not be zero: one behind a normalisation that no tied weight reads. */
function relaxOffsets(
  flows: FlowMap,
  trace: Trace,
  given: ReadonlyMap<string, Fresh>,
  zeros: ReadonlySet<string>,
  parts: readonly WidthPart[],
): readonly WidthPart[] {
  const keyOf = ({ parameter, axis }: WidthPart) => axisKey(parameter, axis);
  const fresh = new Map(given);
  for (const part of parts) fresh.set(keyOf(part), freshOf(part.fill, part.role));
  return parts.map((part) => {
    if (part.role !== "offset" || part.fill !== "zero") return part;
    const drawn: WidthPart = { ...part, fill: "offset" };
    const tried = new Map(fresh).set(keyOf(part), freshOf(drawn.fill, drawn.role));
    if ("blocked" in followContents(flows, trace, new Map(tried), zeros)) return part;
    fresh.set(keyOf(part), freshOf(drawn.fill, drawn.role));
    return drawn;
  });
}

/** The second factors that are zero where the blocks of parameters that make them are; other parameters hold `given`. */
export function zeroFactors(
  flows: FlowMap,
  trace: Trace,
  parts: readonly WidthPart[],
  given: ReadonlyMap<string, Fresh>,
  { made }: SecondFactors,
): ReadonlySet<string> {
  const visits = reachedBy(made);
  const values = new Set([...visits.values()].map(({ value }) => value));
  const fresh = new Map<string, Fresh>();
  for (const { parameter, axis, zeroBlocks } of parts) {
    const key = axisKey(parameter, axis);
    if (visits.has(key)) fresh.set(key, zeroBlocks === undefined ? (given.get(key) as Fresh) : "zero");
  }
  followContents(flows, { ...trace, visits, values, nodes: flows.nodesOn(values) }, fresh, new Set());
  const isZero = ([key, factor]: readonly [string, string]) =>
    factor === "second" && fresh.get(key) === "zero";
  return new Set([...trace.factors].filter(isZero).map(([key]) => key));
}

/**
 * Fills in what new units hold in every value, node by node. `zeros` names factors known to be zero; `isOffset` is told
 * of means that meet zeros, and may change what they are.
 */
export function followContents(
  flows: FlowMap,
  trace: Trace,
  fresh: Map<string, Fresh>,
  zeros: ReadonlySet<string>,
  isOffset: (key: string) => boolean = () => false,
): { readonly repairs: readonly NodeRepair[] } | Refusal {
  const repairs: NodeRepair[] = [];
  /** Means over the width: the value that each was taken of. */
  const meanOf = new Map<string, string>();
  for (const nodeFlow of trace.nodes) {
    const { node, flow, contractions, nameOf } = nodeFlow;
    const keyOf = (ref: AxisRef) => axisKey(nameOf(ref), ref.axis);
    const name = `${node.op} "${node.name || node.outputs[0]}"`;
    for (const pool of flow.pools ?? []) {
      const held = fresh.get(keyOf(pool.at));
      if (held === undefined) continue;
      const { layout } = trace.visits.get(keyOf(pool.at)) as Visit;
      const answer = poolOver(layout, held, pool);
      if ("blocked" in answer) return { blocked: `${name}: ${answer.blocked}` };
      repairs.push(...answer.map((repair) => ({ ...repair, node: node.outputs[0] as string })));
      if (pool.mean === true && answer.length === 0) meanOf.set(node.outputs[0] as string, nameOf(pool.at));
    }
    const relations: Relations = {
      isMeanOf: (index, of) => {
        const source = meanOf.get(node.inputs[index] ?? "");
        return source !== undefined && source === node.inputs[of];
      },
    };
    for (const { a, b } of contractions) {
      const [left, right] = [fresh.get(keyOf(a)), fresh.get(keyOf(b))];
      if (left === undefined || right === undefined) continue;
      if (left === "zero" && right === "zero" && ![a, b].some((ref) => flows.constants.has(nameOf(ref)))) {
        return { blocked: `${name} would multiply zeros with zeros, and neither could learn` };
      }
      const known = zeros.has(keyOf(a)) || zeros.has(keyOf(b));
      if (!known && !cancels(left, right))
        return { blocked: `${name} sums over it without a weight that could be zero` };
    }
    for (const output of outputsOn(trace, nodeFlow)) {
      const sources = () => inputsOf(flow, output, node.inputs.length, keyOf, trace);
      const contents = () => sources().map((key) => (key === undefined ? undefined : fresh.get(key)));
      if (contents().includes("zero")) {
        for (const key of sources()) if (key !== undefined && fresh.get(key) === "mean") isOffset(key);
      }
      const held = (flow.fresh ?? elementwise)(contents(), relations);
      if (typeof held === "object") return { blocked: `${name}: ${held.blocked}` };
      fresh.set(keyOf(output), held);
    }
  }
  return { repairs };
}

/**
 * What a pool says of new units on an axis of this layout. Mean and copies are those of the units alone, so nothing else
 * may lie on the axis; and a mean is one number only where a unit is one position.
 */
function poolOver(layout: Layout, held: Fresh, pool: Pool): readonly Repair[] | Refusal {
  const answer = pool.accepts(held);
  if ("blocked" in answer) return answer;
  const mixed = layout.some((block) => !("inner" in block));
  if (mixed && (held !== "zero" || answer.length > 0)) {
    return { blocked: "it is taken together with other values on the axis" };
  }
  if (held === "mean" && !sameLayout(layout, unitLayout)) {
    return { blocked: "its units are more than one position each, which have no common mean" };
  }
  return answer;
}

const isNarrow = (dtype: DType | undefined) => dtype === "float16" || dtype === "bfloat16";

/** Whether a sum of products is what it was without new units. */
function cancels(a: Fresh, b: Fresh): boolean {
  // Where new units took a part of the old ones' weights, only copies give it back.
  if (a === "part" || b === "part") return a === "copy" || b === "copy";
  return a === "zero" || b === "zero";
}

function outputsOn(trace: Trace, { node, flow, nameOf }: NodeFlow): readonly AxisRef[] {
  const found = new Map<string, AxisRef>();
  for (const tie of flow.ties) {
    for (const ref of [tie.a, tie.b]) {
      if (ref.side === "output" && trace.visits.has(axisKey(nameOf(ref), ref.axis))) {
        found.set(`${ref.index} ${ref.axis}`, ref);
      }
    }
  }
  for (const [index, name] of node.outputs.entries()) {
    for (const { at } of flow.written ?? []) {
      if (at.side === "output" && at.index === index && trace.visits.has(axisKey(name, at.axis))) {
        found.set(`${index} ${at.axis}`, at);
      }
    }
  }
  return [...found.values()];
}

/** The axis of each input that carries the width to an output, by {@link axisKey}; undefined where it does not. */
function inputsOf(
  flow: NodeFlow["flow"],
  output: AxisRef,
  count: number,
  keyOf: (ref: AxisRef) => string,
  trace: Trace,
): readonly (string | undefined)[] {
  const keys: (string | undefined)[] = Array.from({ length: count });
  const isOutput = (ref: AxisRef) =>
    ref.side === "output" && ref.index === output.index && ref.axis === output.axis;
  for (const { a, b, forward, backward } of flow.ties) {
    const [source, carry] = isOutput(b) ? [a, forward] : isOutput(a) ? [b, backward] : [undefined, undefined];
    if (source === undefined || source.side === "output") continue;
    const visit = trace.visits.get(keyOf(source));
    if (visit === undefined) continue;
    // What is refused and reached all the same is carried at one position of another axis.
    const carried = carry?.(visit.layout) ?? visit.layout;
    if ("blocked" in carried || carriesUnits(carried)) keys[source.index] = keyOf(source);
  }
  return keys;
}

/** Roles of a parameter's axis: those that its readers give it, also behind a transpose or reshape. */
export function rolesOf(flows: FlowMap, trace: Trace, value: string, axis: number): readonly Role[] {
  const roles = rolesBehind(flows, trace, { value, axis }, ({ value: made }) => flows.constants.has(made));
  // A table of positions that is cut to a computed length is no constant, but still nothing else is in it.
  return roles.length > 0
    ? roles
    : rolesBehind(flows, trace, { value, axis }, ({ node }, from) =>
        node.inputs.every((given) => given === from || !trace.values.has(given)),
      );
}

/** Roles that are given to an axis, or to what nodes make of it, step by step as long as `passes` says so. */
function rolesBehind(
  flows: FlowMap,
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

/** Where roles differ: zeros keep the function, so outgoing wins; then what makes the unit. */
function mainRole(roles: readonly Role[]): Role | undefined {
  const order: readonly Role[] = ["outgoing", "incoming", "offset", "scale", "shift"];
  return order.find((role) => roles.includes(role));
}
