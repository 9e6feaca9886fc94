import { type Fill, type FillRequest, forNewUnits } from "../plan/fills.ts";

/** The old unit that a new one copies. */
export type SourceOf = (request: FillRequest, unit: number) => number;

/** Each old unit is copied once before any is copied twice. */
export const inTurn: SourceOf = ({ oldUnits }, unit) => (unit - oldUnits) % oldUnits;

/** Any old unit, drawn at random. */
export const atRandom: SourceOf = (request, unit) => request.shared(unit).integer(request.oldUnits);

/** The units that share the work of each old one after growth: itself first, then its copies. */
export function familiesOf(request: FillRequest, sourceOf: SourceOf): readonly (readonly number[])[] {
  const families = Array.from({ length: request.oldUnits }, (_, unit) => [unit]);
  forNewUnits(request, (unit) => families[sourceOf(request, unit)]?.push(unit));
  return families;
}

/** New units get their source's values. */
export function copyFrom(sourceOf: SourceOf): Fill {
  return (request) => {
    forNewUnits(request, (unit) => {
      const values = request.slices.get(sourceOf(request, unit));
      request.slices.map(unit, (_, index) => values[index] as number);
    });
  };
}

/** Every member of a family gets the old unit's values divided by their number. */
export function divideAmong(sourceOf: SourceOf): Fill {
  return (request) => {
    for (const family of familiesOf(request, sourceOf)) {
      if (family.length === 1) continue;
      const values = request.slices.get(family[0] as number);
      for (const unit of family) {
        request.slices.map(unit, (_, index) => (values[index] as number) / family.length);
      }
    }
  };
}
