import { carriesUnits, type Layout, sameLayout, unitLayout } from "../../graph/layout.ts";
import type { Aggregate, AxisRef, Relations, Repair } from "../../ops/rules/axis-rule.ts";
import { type Contents, elementwise, type Refusal } from "../../ops/rules/contents.ts";
import { Lists } from "../plan/lists.ts";
import { PositionQueue } from "../plan/position-queue.ts";
import type { NodeRepair } from "../plan/width.ts";
import { type AxisMap, axisKey, type NodeFlow } from "./axis-map.ts";
import type { Trace, Visit } from "./trace.ts";

/** What the nodes so far have made of new units. */
interface Followed {
  /** What they contain, by {@link axisKey}. */
  readonly fresh: Readings<Contents>;
  /** Means over the width: the value that each is the mean of. */
  readonly meanOf: Readings<string>;
}

interface Readings<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
}

/** Where new units are followed to, and what is known beforehand. */
interface Scene {
  readonly flows: AxisMap;
  readonly trace: Trace;
  /** Factors known to be zero. */
  readonly zeros: ReadonlySet<string>;
}

/**
 * Fills in what new units contain in every value, node by node. `zeros` names factors known to be zero; `isOffset` is
 * called for means that meet zeros, and may change what they are.
 */
export function followContents(
  flows: AxisMap,
  trace: Trace,
  fresh: Map<string, Contents>,
  zeros: ReadonlySet<string>,
  isOffset: (key: string) => boolean = () => false,
): { readonly repairs: readonly NodeRepair[] } | Refusal {
  const repairs: NodeRepair[] = [];
  const followed = { fresh, meanOf: new Map<string, string>() };
  for (const nodeFlow of trace.nodes) {
    const answer = followNode({ flows, trace, zeros }, nodeFlow, followed, isOffset);
    if ("blocked" in answer) return answer;
    repairs.push(...answer);
  }
  return { repairs };
}

/** Contents that have been followed. If some change, only what they reach is followed again. */
export class FollowedContents {
  readonly #scene: Scene;
  readonly #fresh: Map<string, Contents>;
  readonly #meanOf = new Map<string, string>();
  /** By value, which of the trace's nodes read it. */
  readonly #readers = new Lists<number>();

  /** `fresh` says what the parameters contain. Nothing may be blocked yet. */
  constructor(
    flows: AxisMap,
    trace: Trace,
    fresh: ReadonlyMap<string, Contents>,
    zeros: ReadonlySet<string>,
  ) {
    this.#scene = { flows, trace, zeros };
    this.#fresh = new Map(fresh);
    for (const [at, nodeFlow] of trace.nodes.entries()) {
      for (const name of new Set(nodeFlow.node.inputs)) this.#readers.add(name, at);
      followNode(this.#scene, nodeFlow, { fresh: this.#fresh, meanOf: this.#meanOf });
    }
  }

  /** Lets an axis of a parameter contain something else if the outputs stay the same. Returns whether they do. */
  accept(value: string, axis: number, held: Contents): boolean {
    const queue = new PositionQueue();
    const wake = (name: string) => {
      for (const at of this.#readers.at(name)) queue.add(at);
    };
    const fresh = new Overlay(this.#fresh, (key) => wake(key.slice(key.indexOf(":") + 1)));
    const meanOf = new Overlay(this.#meanOf, wake);
    fresh.set(axisKey(value, axis), held);
    for (let at = queue.take(); at !== undefined; at = queue.take()) {
      const nodeFlow = this.#scene.trace.nodes[at] as NodeFlow;
      if ("blocked" in followNode(this.#scene, nodeFlow, { fresh, meanOf })) return false;
    }
    fresh.keep();
    meanOf.keep();
    return true;
  }
}

/** Changes to a map that may yet be dropped. `changed` is called for each. */
class Overlay<T> {
  readonly #below: Map<string, T>;
  readonly #changed: (key: string) => void;
  readonly #changes = new Map<string, T | undefined>();

  constructor(below: Map<string, T>, changed: (key: string) => void) {
    this.#below = below;
    this.#changed = changed;
  }

  get(key: string): T | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#below.get(key);
  }

  set(key: string, value: T | undefined): void {
    if (this.get(key) === value) return;
    this.#changes.set(key, value);
    this.#changed(key);
  }

  delete(key: string): void {
    this.set(key, undefined);
  }

  keep(): void {
    for (const [key, value] of this.#changes) {
      if (value === undefined) this.#below.delete(key);
      else this.#below.set(key, value);
    }
  }
}

function followNode(
  { flows, trace, zeros }: Scene,
  nodeFlow: NodeFlow,
  { fresh, meanOf }: Followed,
  isOffset: (key: string) => boolean = () => false,
): readonly NodeRepair[] | Refusal {
  const repairs: NodeRepair[] = [];
  const { node, flow, contractions, nameOf } = nodeFlow;
  const keyOf = (ref: AxisRef) => axisKey(nameOf(ref), ref.axis);
  const name = `${node.op} "${node.name || node.outputs[0]}"`;
  for (const pool of flow.aggregates ?? []) {
    const held = fresh.get(keyOf(pool.at));
    if (held === undefined) continue;
    const { layout } = trace.visits.get(keyOf(pool.at)) as Visit;
    const answer = poolOver(layout, held, pool);
    if ("blocked" in answer) return { blocked: `${name}: ${answer.blocked}` };
    const made = node.outputs[0] as string;
    repairs.push(...answer.map((repair) => ({ ...repair, node: made })));
    if (pool.mean !== true) continue;
    if (answer.length === 0) meanOf.set(made, nameOf(pool.at));
    else meanOf.delete(made);
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
    const sources = inputsOf(flow, output, node.inputs.length, keyOf, trace);
    const contents = () => sources.map((key) => (key === undefined ? undefined : fresh.get(key)));
    if (contents().includes("zero")) {
      for (const key of sources) if (key !== undefined && fresh.get(key) === "mean") isOffset(key);
    }
    const held = (flow.contents ?? elementwise)(contents(), relations);
    if (typeof held === "object") return { blocked: `${name}: ${held.blocked}` };
    fresh.set(keyOf(output), held);
  }
  return repairs;
}

/**
 * What a pool says about new units on an axis of this layout. Mean and copies are those of the units alone, so nothing
 * else may be on the axis; and a mean is one number only if a unit is one position.
 */
function poolOver(layout: Layout, held: Contents, pool: Aggregate): readonly Repair[] | Refusal {
  const answer = pool.accepts(held);
  if ("blocked" in answer) return answer;
  const mixed = layout.some((block) => !("inner" in block));
  if (mixed && (held !== "zero" || answer.length > 0)) {
    return { blocked: "it is aggregated with other values on the axis" };
  }
  if (held === "mean" && !sameLayout(layout, unitLayout)) {
    return { blocked: "its units are more than one position each, which have no common mean" };
  }
  return answer;
}

/** Whether a sum of products is what it was without new units. */
function cancels(a: Contents, b: Contents): boolean {
  // If new units took a part of the old ones' weights, only copies give it back.
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

/** The axis of each input that carries the width to an output, by {@link axisKey}; undefined if there is none. */
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
    // An axis that is refused but reached anyway is carried at one position of another axis.
    const carried = carry?.(visit.layout) ?? visit.layout;
    if ("blocked" in carried || carriesUnits(carried)) keys[source.index] = keyOf(source);
  }
  return keys;
}
