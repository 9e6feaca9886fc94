/**
 * What the new units of a width hold in a value, told without running it:
 * - `zero`: zeros, for every example
 * - `mean`: the mean of the old units at the same place (what LayerNorm needs)
 * - `copy`: what an old unit holds, each old one equally often (what every normalization over units needs)
 * - `part`: shares of an old unit's weight that add up to it (what copies must be multiplied with)
 * - `any`: something finite
 */
export type Contents = "zero" | "mean" | "copy" | "part" | "any";

/** Why what new units hold cannot be told, or must not pass. */
export interface Refusal {
  readonly blocked: string;
}

type Rule = (inputs: readonly (Contents | undefined)[]) => Contents | Refusal;

const carrying = (inputs: readonly (Contents | undefined)[]) =>
  inputs.filter((fresh): fresh is Contents => fresh !== undefined);

/** A function of one unit at a time: equal units give equal results. */
export const elementwise: Rule = (inputs) => {
  const all = carrying(inputs);
  if (all.includes("part")) return { blocked: "shares of a weight do not add up to the same after it" };
  return all.every((fresh) => fresh === "copy") ? "copy" : "any";
};

/** As {@link elementwise}, of one input and with f(0) = 0. */
export const zeroAtZero: Rule = (inputs) => (inputs[0] === "zero" ? "zero" : elementwise(inputs));

/** Moves elements without changing them. */
export const moved: Rule = (inputs) => alike(inputs) ?? elementwise(inputs);

/** A sum or difference: linear in all inputs at once. */
export const summed: Rule = (inputs) => {
  const same = alike(inputs);
  // x + c, with one c for all units, is not zero where x is, nor do shares add up; its mean is still the mean.
  const shifted = inputs.some((fresh) => fresh === undefined);
  return same === undefined || (shifted && same !== "mean") ? elementwise(inputs) : same;
};

/** A product: linear in each input by itself. */
export const multiplied: Rule = (inputs) => {
  const all = carrying(inputs);
  if (all.length === 1) return all[0] as Contents;
  // Copies are what a share of a weight and the rest of it are both multiplied with.
  if (all.includes("part")) {
    return all.filter((fresh) => fresh !== "copy").length === 1 ? "part" : elementwise(inputs);
  }
  return all.includes("zero") ? "zero" : elementwise(inputs);
};

/** As {@link elementwise}, of functions that are not finite at zero; interval rules say where else they are not. */
export const notAtZero: Rule = refusesZero("it is not finite if new units are zero");

/** As {@link elementwise}, of functions that are finite at zero, but whose slope is not: no unit could start there. */
export const steepAtZero: Rule = refusesZero("its slope is infinite if new units are zero");

function refusesZero(blocked: string): Rule {
  return (inputs) => (carrying(inputs).includes("zero") ? { blocked } : elementwise(inputs));
}

/** A product and something added to it, as in Gemm and Conv: [a, b, bias]. */
export function affine(hasBias: boolean): Rule {
  return ([a, b, bias]) => {
    const product = multiplied([a, b]);
    return hasBias && typeof product === "string" ? summed([product, bias]) : product;
  };
}

function alike(inputs: readonly (Contents | undefined)[]): Contents | undefined {
  const [first, ...rest] = carrying(inputs);
  return rest.every((fresh) => fresh === first) ? first : undefined;
}
