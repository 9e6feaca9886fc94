import { sameLayout, unitLayout } from "../graph/layout.ts";
import type { Model } from "../graph/model.ts";
import { opsetOf } from "../ops/raise.ts";
import { EspalierError } from "../tensor/errors.ts";
import { didYouMean } from "../tensor/unknown-name.ts";
import { describeWidth } from "./describe-width.ts";
import { axisKey, type FlowMap, flowMap } from "./flow-map.ts";
import { type Trace, traceWidth } from "./trace.ts";
import type { Width } from "./width.ts";

/** Every width of a model, in the order in which its producers run. */
export function findWidths(model: Model): readonly Width[] {
  const flows = flowMap(model.graph, opsetOf(model));
  const known = new Map<string, boolean>();
  const ids = new Map<string, number>();
  const widths: Width[] = [];
  for (const seed of flows.seeds) {
    if (known.has(axisKey(seed.value, seed.axis))) continue;
    for (const width of widthsFrom(flows, seed, known)) {
      const count = (ids.get(width.id) ?? 0) + 1;
      ids.set(width.id, count);
      widths.push(count === 1 ? width : { ...width, id: `${width.id}#${count}` });
    }
  }
  return widths;
}

/** The width called `id`. Throws `UNKNOWN_WIDTH`, listing those there are. */
export function widthOf(widths: readonly Width[], id: string): Width {
  const width = widths.find((candidate) => candidate.id === id);
  if (width !== undefined) return width;
  const growable = widths.filter((w) => w.growable).map((w) => `${w.id} (${w.size})`);
  const meant = didYouMean(
    id,
    widths.map((w) => w.id),
  );
  throw new EspalierError("UNKNOWN_WIDTH", {
    thing: "width",
    rule: "must be one of the model's",
    received: id,
    remedy: `${meant === undefined ? "" : `${meant} `}Widths that can grow: ${growable.join(", ") || "none"}.`,
  });
}

/** Cuts of one axis that are tried before no finer ones are: real models need fewer than ten. */
const maxCuts = 64;

/**
 * The widths of one output axis of a weight. Where the axis as a whole cannot grow, the finer cuts that operators on
 * the way ask for (heads, groups) are tried in its place. `known` collects the axes and cuts that have been seen, and
 * whether they can grow.
 */
function widthsFrom(
  flows: FlowMap,
  seed: { readonly value: string; readonly axis: number },
  known: Map<string, boolean>,
): readonly Width[] {
  const units = flows.types.get(seed.value)?.shape[seed.axis];
  if (typeof units !== "number" || units === 0) return [];
  const whole = traceWidth(flows, { ...seed, layout: unitLayout, units });
  const asWhole = describeWidth(flows, whole, { name: seed.value });
  for (const [key, { value, layout }] of whole.visits) {
    // Seen as it is: another cut of it, such as the size of a head, may still be a width of its own.
    if (flows.constants.has(value) && sameLayout(layout, unitLayout)) known.set(key, asWhole.growable);
  }
  if (asWhole.growable || whole.cuts.length === 0) return [asWhole];

  const found: Width[] = [];
  let elsewhere = false;
  // A map goes on to what is added while it is gone through, and takes nothing twice.
  const cuts = new Map(whole.cuts.map((cut) => [JSON.stringify(cut), cut]));
  for (const cut of cuts.values()) {
    const trace = traceWidth(flows, cut);
    const signature = signatureOf(flows, trace);
    const seen = known.get(signature);
    elsewhere ||= seen === true;
    if (seen !== undefined) continue;
    const width = describeWidth(flows, trace, { name: seed.value });
    known.set(signature, width.growable);
    if (width.growable) found.push(width);
    else if (cuts.size < maxCuts) {
      const { value, axis, otherwise = [] } = cut;
      for (const finer of [...trace.cuts, ...otherwise.map((grain) => ({ ...grain, value, axis }))]) {
        cuts.set(JSON.stringify(finer), finer);
      }
    }
  }
  return found.length > 0 || elsewhere ? found : [asWhole];
}

/** What tells one cut of a set of parameters from another. */
function signatureOf(flows: FlowMap, trace: Trace): string {
  const parts = [...trace.visits].filter(([, { value }]) => flows.constants.has(value));
  return parts
    .map(([key, { layout }]) => `${key} ${JSON.stringify(layout)}`)
    .sort()
    .join("\n");
}
