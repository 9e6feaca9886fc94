import type { Role } from "../../ops/rules/axis-rule.ts";
import type { Contents } from "../../ops/rules/contents.ts";
import { type Fill, type FillRequest, forNewUnits, keepZero, oldSize } from "./fills.ts";
import type { Strategy } from "./strategy.ts";
import type { FillKind } from "./width.ts";

/** What units contain if a parameter of this role is filled so, considered alone. */
export function freshOf(fill: FillKind, role: Role): Contents {
  if (fill === "strategy") return role === "outgoing" || role === "shift" ? "zero" : "any";
  return fill === "draw" || fill === "offset" || fill === "alike" ? "any" : fill;
}

/** The function that writes the new slices. */
export function fillWith(fill: FillKind, role: Role, strategy: Strategy): Fill {
  if (fill === "strategy") return role === "offset" ? strategy.shift : strategy[role];
  return fills[fill];
}

const fills: Readonly<Record<Exclude<FillKind, "strategy">, Fill>> = {
  zero: keepZero,
  mean: fillMean,
  copy: fillCopy,
  part: fillParts,
  draw: (request) => fillNormal(request, 1 / Math.sqrt(request.oldUnits + request.newUnits)),
  offset: (request) => fillNormal(request, 0.1),
  alike: (request) => fillNormal(request, oldSize(request)),
};

function fillMean(request: FillRequest): void {
  const { slices, oldUnits } = request;
  // In double precision, rounded once: the mean must be that of the old units to the last bit that float32 has.
  const sum = slices.sum(oldUnits);
  forNewUnits(request, (unit) => slices.map(unit, (_, index) => (sum[index] as number) / oldUnits));
}

function fillCopy(request: FillRequest): void {
  const { slices, oldUnits } = request;
  forNewUnits(request, (unit) => {
    const values = slices.get(unit % oldUnits);
    slices.map(unit, (_, index) => values[index] as number);
  });
}

function fillParts(request: FillRequest): void {
  const { slices, oldUnits, newUnits } = request;
  const copies = 1 + newUnits / oldUnits;
  for (let unit = 0; unit < oldUnits; unit++) {
    const values = slices.get(unit);
    const draws = request.random(unit);
    const owner = Array.from(values, () => Math.floor(draws.uniform() * copies));
    for (let copy = 0; copy < copies; copy++) {
      slices.map(unit + copy * oldUnits, (_, index) =>
        owner[index] === copy ? (values[index] as number) : 0,
      );
    }
  }
}

function fillNormal(request: FillRequest, deviation: number): void {
  forNewUnits(request, (unit) => {
    const draws = request.random(unit);
    request.slices.map(unit, () => deviation * draws.normal());
  });
}
