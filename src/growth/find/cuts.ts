import { sameLayout, unitLayout } from "../../graph/layout.ts";
import type { Width } from "../plan/width.ts";
import type { AxisMap, Seed } from "./axis-map.ts";
import { describeWidth } from "./describe-width.ts";
import { type Trace, traceWidth } from "./trace.ts";

/** The most cuts of one axis that are tried: real models need fewer than ten. */
const maxCuts = 64;

/** What is remembered about axes and cuts. */
export interface Known {
  get(key: string): boolean | undefined;
  set(key: string, grows: boolean): void;
}

/**
 * The widths of one output axis of a weight. If the axis as a whole cannot grow, the finer cuts that operators on
 * the way ask for (heads, groups) are tried instead. `known` collects the axes and cuts that have been seen, and
 * whether they can grow.
 */
export function widthsFrom(flows: AxisMap, seed: Seed, known: Known): readonly Width[] {
  const units = flows.types.get(seed.value)?.shape[seed.axis];
  if (typeof units !== "number" || units === 0) return [];
  const whole = traceWidth(flows, { ...seed, layout: unitLayout, units });
  const asWhole = describeWidth(flows, whole, { name: seed.value });
  for (const [key, { value, layout }] of whole.visits) {
    // Seen as a whole: another cut of it, such as the size of a head, may still be a separate width.
    if (flows.constants.has(value) && sameLayout(layout, unitLayout)) known.set(key, asWhole.growable);
  }
  if (asWhole.growable) known.set(signatureOf(flows, whole), true);
  if (asWhole.growable || whole.cuts.length === 0) return [asWhole];

  const found: Width[] = [];
  let elsewhere = false;
  // The best reason why the axis cannot grow comes from a cut that no operator on its way wants finer.
  let refused: Width | undefined;
  const own = new Set<string>();
  // Iterating over a map includes what is added meanwhile, and visits nothing twice.
  const cuts = new Map(whole.cuts.map((cut) => [JSON.stringify(cut), cut]));
  for (const cut of cuts.values()) {
    const trace = traceWidth(flows, cut);
    const signature = signatureOf(flows, trace);
    const seen = known.get(signature);
    elsewhere ||= seen === true || (seen === false && whole.onlyCut && !own.has(signature));
    own.add(signature);
    if (seen !== undefined) continue;
    const width = describeWidth(flows, trace, { name: seed.value });
    known.set(signature, width.growable);
    if (width.growable) {
      found.push(width);
      continue;
    }
    if (whole.onlyCut && trace.cuts.length === 0) refused ??= width;
    if (cuts.size < maxCuts) {
      const { value, axis, otherwise = [] } = cut;
      for (const finer of [...trace.cuts, ...otherwise.map((grain) => ({ ...grain, value, axis }))]) {
        cuts.set(JSON.stringify(finer), finer);
      }
    }
  }
  return found.length > 0 || elsewhere ? found : [refused ?? asWhole];
}

/** A key that distinguishes one cut of a set of parameters from another. */
function signatureOf(flows: AxisMap, trace: Trace): string {
  const parts = [...trace.visits].filter(([, { value }]) => flows.constants.has(value));
  return parts
    .map(([key, { layout }]) => `${key} ${JSON.stringify(layout)}`)
    .sort()
    .join("\n");
}
