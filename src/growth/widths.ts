import { type Layout, sameLayout, unitLayout } from "../graph/layout.ts";
import type { Model } from "../graph/model.ts";
import type { Role } from "../ops/flow.ts";
import { EspalierError } from "../tensor/errors.ts";
import { type FlowMap, flowMap } from "./flow-map.ts";
import type { Width, WidthPart, WidthRead } from "./width.ts";

/** Every width of a model, in the order in which its producers run. */
export function findWidths(model: Model): readonly Width[] {
  const flows = flowMap(model.graph);
  const taken = new Set<string>();
  const ids = new Map<string, number>();
  const widths: Width[] = [];
  for (const seed of flows.seeds) {
    if (taken.has(`${seed.axis}:${seed.parameter}`)) continue;
    const traced = trace(model, flows, seed.parameter, seed.axis);
    for (const part of traced.parts) taken.add(`${part.axis}:${part.parameter}`);
    taken.add(`${seed.axis}:${seed.parameter}`);
    const name = seed.parameter.replace(/[./_]?(weight|kernel|W)$/, "") || seed.parameter;
    const count = (ids.get(name) ?? 0) + 1;
    ids.set(name, count);
    widths.push({ id: count === 1 ? name : `${name}#${count}`, ...traced });
  }
  return widths;
}

/** The width called `id`. Throws `UNKNOWN_WIDTH`, listing those there are. */
export function widthOf(widths: readonly Width[], id: string): Width {
  const width = widths.find((candidate) => candidate.id === id);
  if (width !== undefined) return width;
  throw new EspalierError("UNKNOWN_WIDTH", {
    thing: "width",
    rule: "must be one of the model's",
    received: id,
    remedy: `Widths that can grow: ${
      widths
        .filter((w) => w.growable)
        .map((w) => `${w.id} (${w.size})`)
        .join(", ") || "none"
    }.`,
  });
}

interface Visit {
  readonly value: string;
  readonly axis: number;
  readonly layout: Layout;
  readonly role: Role | undefined;
}

/** Follows the ties from one axis of a parameter to everything that must change with it. */
function trace(model: Model, flows: FlowMap, parameter: string, axis: number): Omit<Width, "id"> {
  const size = model.graph.parameters.get(parameter)?.dims[axis] ?? 0;
  const reasons: string[] = [];
  const reads: WidthRead[] = [];
  const seen = new Map<string, Visit>();
  const queue: Visit[] = [{ value: parameter, axis, layout: unitLayout, role: "incoming" }];
  for (let visit = queue.shift(); visit !== undefined; visit = queue.shift()) {
    const at = `${visit.axis}:${visit.value}`;
    const known = seen.get(at);
    if (known !== undefined) {
      if (!sameLayout(known.layout, visit.layout)) {
        reasons.push(`"${visit.value}" would have to grow in two different ways on axis ${visit.axis}`);
      }
      // A tied weight can be incoming here and outgoing there: zeros keep the function, so outgoing wins.
      if (visit.role === "outgoing" && known.role !== "outgoing")
        seen.set(at, { ...known, role: "outgoing" });
      continue;
    }
    seen.set(at, visit);
    const blocks = flows.blocksAt(visit.value, visit.axis);
    if (blocks.length > 0) {
      reasons.push(...blocks);
      continue;
    }
    for (const step of flows.stepsFrom(visit.value, visit.axis)) {
      const constant = flows.constants.has(step.value);
      if (step.contraction && !constant && !flows.constants.has(visit.value)) {
        reasons.push(`${step.node.op} "${step.node.name}" sums over it without a weight that could be zero`);
        continue;
      }
      const carried = step.carry(visit.layout);
      if ("blocked" in carried) {
        reasons.push(`${step.node.op} "${step.node.name}": ${carried.blocked}`);
        continue;
      }
      // A concatenation or a fold may tell that the width does not reach this side.
      if (!carried.some((block) => "inner" in block)) continue;
      if (step.contraction && constant && !flows.constants.has(visit.value)) {
        reads.push({ value: visit.value, axis: visit.axis, layout: visit.layout });
      }
      const inherited = flows.constants.has(visit.value) && constant ? visit.role : undefined;
      queue.push({ value: step.value, axis: step.axis, layout: carried, role: step.role ?? inherited });
    }
  }
  const visits = [...seen.values()];
  const parts: WidthPart[] = [];
  for (const visit of visits) {
    if (!model.graph.parameters.has(visit.value)) continue;
    if (visit.role === undefined)
      reasons.push(`no rule says how to fill "${visit.value}" on axis ${visit.axis}`);
    parts.push({
      parameter: visit.value,
      axis: visit.axis,
      role: visit.role ?? "shift",
      layout: visit.layout,
    });
  }
  if (reasons.length === 0 && !parts.some((part) => part.role === "outgoing")) {
    reasons.push("nothing consumes it");
  }
  return {
    size,
    growable: reasons.length === 0,
    reason: reasons[0] ?? "",
    parts,
    reads,
  };
}
