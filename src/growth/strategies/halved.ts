import { type FillRequest, forNewUnits, type Strategy } from "../strategy.ts";

/** The old unit that a new one copies: each is copied once before any is copied twice. */
function sourceOf(request: FillRequest, unit: number): number {
  return (unit - request.oldUnits) % request.oldUnits;
}

/** How many units share the work of an old one after growth. */
function multiplicity(request: FillRequest, source: number): number {
  return 1 + Math.floor((request.newUnits - 1 - source) / request.oldUnits + 1);
}

function copy(request: FillRequest): void {
  forNewUnits(request, (unit) => {
    const values = request.slices.get(sourceOf(request, unit));
    request.slices.map(unit, (_, index) => values[index] as number);
  });
}

/**
 * The third pitfall: copied units whose outgoing weights are divided among the copies. Copies get equal gradients
 * and never part.
 */
export const halved: Strategy = {
  name: "halved",
  summary: "pitfall: copies with divided outgoing weights, so each pair stays one unit",
  // On a plain chain of layers alone: the old units change, which a normalisation over them or a tied weight sees.
  preserves: false,
  incoming: copy,
  shift: copy,
  scale: copy,
  outgoing(request) {
    for (let source = 0; source < Math.min(request.oldUnits, request.newUnits); source++) {
      const shares = multiplicity(request, source);
      request.slices.map(source, (old) => old / shares);
    }
    copy(request);
  },
};
