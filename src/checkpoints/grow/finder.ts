import type { Model } from "../../graph/model.ts";
import { type AxisMap, flowMap } from "../../growth/find/axis-map.ts";
import { describeWidth } from "../../growth/find/describe-width.ts";
import { copies, type Method, methods, tiedCopies } from "../../growth/find/methods.ts";
import { traceWidth } from "../../growth/find/trace.ts";
import type { Width } from "../../growth/plan/width.ts";
import type { Anchor } from "../architecture/structure.ts";

/** Growth by copies of every unit, which is exact in any element type. */
export const byCopies: readonly Method[] = [copies, tiedCopies];

/** Growth by new units that do not affect the norms. */
export const byPadding: readonly Method[] = methods.filter(({ name }) => name.endsWith("padding"));

/** Growth by new units that nothing reads yet. */
export const byZeroOutgoing: readonly Method[] = methods.filter(({ name }) => name === "zero outgoing");

/** Finds, by the axis rules, the width that a field of the configuration stands for. */
export class Finder {
  readonly #flows: AxisMap;

  /** `model` needs no values. */
  constructor(model: Model) {
    this.#flows = flowMap(model.graph);
  }

  width({ parameter, axis, layout, units }: Anchor, allowed: readonly Method[]): Width {
    const trace = traceWidth(this.#flows, { value: parameter, axis, layout, units });
    return describeWidth(this.#flows, trace, { name: parameter, methods: allowed });
  }
}
