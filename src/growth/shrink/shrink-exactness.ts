import type { Contents, Refusal } from "../../ops/rules/contents.ts";
import { attentionKeys } from "../find/attention-keys.ts";
import { type AxisMap, axisKey } from "../find/axis-map.ts";
import { rolesOf, zeroFactors } from "../find/contents.ts";
import { followContents } from "../find/follow-contents.ts";
import { type Trace, traceWidth } from "../find/trace.ts";
import { isReal } from "../plan/real-parameter.ts";
import { UnitEntries } from "../plan/unit-entries.ts";
import type { NodeRepair, Width, WidthPart } from "../plan/width.ts";

/** Whether the network computes the same without a unit, and why. */
export interface ExactnessVerdict {
  readonly exact: boolean;
  readonly reason: string;
  /** Numbers of the model that must change with its size to keep it so. */
  readonly repairs: readonly NodeRepair[];
}

/** What one parameter contains for a unit, read from its values. */
interface Reading {
  readonly part: WidthPart;
  readonly zero: boolean;
  readonly mean: boolean;
  /** Whether the blocks that make second factors are zero. */
  readonly zeroBlocks: boolean;
}

/**
 * Decides which units of a width can go exactly. It reads a growth backwards: in the model without them, the units that
 * leave would be new ones, whose contents are not chosen but read from the weights; and the rules that prove a growth
 * (contents.ts) decide whether the outputs would move. As there, finite values are assumed to stay finite.
 */
export class ShrinkJudge {
  readonly #flows: AxisMap;
  readonly #trace: Trace;
  readonly #entries: readonly UnitEntries[];
  readonly #kept: readonly number[];
  readonly #verdicts = new Map<string, ExactnessVerdict>();
  readonly #means = new Map<UnitEntries, Float64Array>();

  /** `leaving` are all the units that go. */
  constructor(flows: AxisMap, width: Width, leaving: ReadonlySet<number>) {
    this.#flows = flows;
    const [{ parameter, axis, layout }] = width.parts as readonly [WidthPart];
    this.#trace = traceWidth(this.#flows, { value: parameter, axis, layout, units: width.size });
    const { parameters } = flows;
    this.#entries = width.parts.flatMap((part) => {
      const tensor = parameters.get(part.parameter);
      return tensor === undefined || !isReal(tensor.dtype) ? [] : [new UnitEntries(part, tensor, width.size)];
    });
    this.#kept = Array.from({ length: width.size }, (_, unit) => unit).filter((unit) => !leaving.has(unit));
  }

  /** The node that computes something over the units (a normalization, a mean), if there is one. */
  get pool(): string | undefined {
    const found = this.#trace.nodes.find(({ flow, nameOf }) =>
      (flow.aggregates ?? []).some(({ at }) => this.#trace.visits.has(axisKey(nameOf(at), at.axis))),
    );
    return found && `${found.node.op} "${found.node.name || found.node.outputs[0]}"`;
  }

  /** Whether something is computed of neighbors, which would move together if a unit between them went. */
  get #isInOrder(): boolean {
    return this.#trace.nodes.some(({ flow, nameOf }) =>
      (flow.aggregates ?? []).some(
        ({ at, inOrder }) => inOrder === true && this.#trace.visits.has(axisKey(nameOf(at), at.axis)),
      ),
    );
  }

  /** Whether two activations are multiplied and summed over the width (queries and keys). */
  get hasFactors(): boolean {
    return this.#trace.factors.size > 0;
  }

  /** Whether a unit can be taken out. */
  remove(unit: number): ExactnessVerdict {
    if (this.#isInOrder && unit < (this.#kept.at(-1) ?? 0)) {
      return {
        exact: false,
        reason: `${this.pool} aggregates neighboring units: only the last ones can go`,
        repairs: [],
      };
    }
    const readings = this.#entries.map((entries) => this.#read(entries, unit));
    const key = readings.map(({ zero, mean, zeroBlocks }) => `${+zero}${+mean}${+zeroBlocks}`).join();
    const known = this.#verdicts.get(key) ?? this.#judge(readings);
    this.#verdicts.set(key, known);
    return known;
  }

  /** Whether unit `unit` can be merged into unit `into`, its outgoing weights added to those. */
  merge(unit: number, into: number): ExactnessVerdict {
    const refuse = (reason: string): ExactnessVerdict => ({ exact: false, reason, repairs: [] });
    for (const entries of this.#entries) {
      const { part } = entries;
      const roles = rolesOf(this.#flows, this.#trace, part.parameter, part.axis);
      if (part.role === "outgoing" && !roles.includes("incoming")) continue;
      if (roles.includes("outgoing")) return refuse(`"${part.parameter}" both makes and reads it`);
      const [one, other] = [entries.of(unit), entries.of(into)];
      if (one.some((value, index) => value !== other[index])) {
        return refuse(`it differs from unit ${into} in "${part.parameter}" (${part.role})`);
      }
    }
    const verdict = this.#verdicts.get("merge") ?? this.#judgeCopies();
    this.#verdicts.set("merge", verdict);
    return verdict.exact
      ? { ...verdict, reason: `equal to unit ${into} except in its outgoing weights` }
      : verdict;
  }

  #judge(readings: readonly Reading[]): ExactnessVerdict {
    const outgoing = readings.filter(({ part }) => part.role === "outgoing");
    let blocked = "";
    // Zeros whose mean is zero count as either; a normalization accepts only one of the two.
    for (const preferred of ["zero", "mean"] as const) {
      const fresh = new Map<string, Contents>(
        readings.map((reading) => [keyOf(reading.part), contentOf(reading, preferred)]),
      );
      const follow = this.#follow(fresh, readings);
      if (!("blocked" in follow)) {
        const unread = outgoing.length > 0 && outgoing.every(({ zero }) => zero);
        const held = preferred === "zero" ? "it is zero" : "it is the mean of the others";
        const reason = unread ? "its outgoing weights are all zero" : `${held} on every input`;
        return { exact: true, reason, repairs: follow.repairs };
      }
      blocked ||= follow.blocked;
    }
    return { exact: false, reason: blocked, repairs: [] };
  }

  #judgeCopies(): ExactnessVerdict {
    const fresh = new Map<string, Contents>(
      this.#entries.map(({ part }) => [keyOf(part), part.role === "outgoing" ? "part" : "copy"]),
    );
    const follow = followContents(this.#flows, this.#trace, fresh, new Set());
    if ("blocked" in follow) return { exact: false, reason: follow.blocked, repairs: [] };
    return { exact: true, reason: "", repairs: follow.repairs };
  }

  /** Follows a unit's contents; second factors that are zero by its readings are known to be. */
  #follow(fresh: Map<string, Contents>, readings: readonly Reading[]) {
    const zeros = this.#zeroFactors(fresh, readings);
    return followContents(this.#flows, this.#trace, fresh, zeros) as
      | { readonly repairs: readonly NodeRepair[] }
      | Refusal;
  }

  #zeroFactors(fresh: ReadonlyMap<string, Contents>, readings: readonly Reading[]): ReadonlySet<string> {
    if (!readings.some(({ part, zeroBlocks }) => part.zeroBlocks !== undefined && zeroBlocks))
      return new Set();
    const parts = readings.map(({ part: { zeroBlocks, ...part }, ...reading }): WidthPart => {
      return zeroBlocks !== undefined && reading.zeroBlocks ? { ...part, zeroBlocks } : part;
    });
    const factors = attentionKeys(this.#flows, this.#trace, this.#flows.parameters);
    return zeroFactors(this.#flows, this.#trace, parts, fresh, factors);
  }

  #read(entries: UnitEntries, unit: number): Reading {
    const { part } = entries;
    const own = entries.of(unit);
    const means = this.#meansOf(entries);
    const { layout, zeroBlocks = [] } = part;
    // A unit's positions are ordered block by block.
    const owners = layout
      .flatMap((block) => ("inner" in block ? [block.inner] : []))
      .flatMap((inner, block) => Array.from({ length: inner }, () => block));
    const each = own.length / owners.length;
    return {
      part,
      zero: own.every((value) => value === 0),
      mean: own.every((value, index) => value === means[index]),
      zeroBlocks: own.every(
        (value, index) => value === 0 || !zeroBlocks.includes(owners[Math.floor(index / each)] as number),
      ),
    };
  }

  /** The mean of the units that stay, summed in double precision and rounded once, as a growth pads with it. */
  #meansOf(entries: UnitEntries): Float64Array {
    const known = this.#means.get(entries);
    if (known !== undefined) return known;
    const means = new Float64Array(entries.count);
    for (const unit of this.#kept) {
      const own = entries.of(unit);
      for (let index = 0; index < means.length; index++)
        means[index] = (means[index] as number) + (own[index] as number);
    }
    const rounded = means.map((sum) => Math.fround(sum / this.#kept.length));
    this.#means.set(entries, rounded);
    return rounded;
  }
}

const keyOf = ({ parameter, axis }: WidthPart) => axisKey(parameter, axis);

function contentOf({ zero, mean }: Reading, preferred: "zero" | "mean"): Contents {
  const holds = { zero, mean };
  if (holds[preferred]) return preferred;
  return zero ? "zero" : mean ? "mean" : "any";
}
