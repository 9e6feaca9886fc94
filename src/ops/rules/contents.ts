/**
 * What the new units of a width contain in a value, as known without running the model:
 * - `zero`: zeros, for every example
 * - `mean`: the mean of the old units at the same place (what LayerNorm needs)
 * - `copy`: the contents of an old unit, each old one equally often (what every normalization over units needs)
 * - `part`: shares of an old unit's weight that add up to it (what copies must be multiplied by)
 * - `any`: something finite
 */
export type Contents = "zero" | "mean" | "copy" | "part" | "any";

/** Why the contents of new units are not known, or must not pass. */
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

/** As {@link elementwise}, for one input and with f(0) = 0. */
export const zeroAtZero: Rule = (inputs) => (inputs[0] === "zero" ? "zero" : elementwise(inputs));

/** Moves elements without changing them. */
export const moved: Rule = (inputs) => alike(inputs) ?? elementwise(inputs);

/** A sum or difference: linear in all inputs at once. */
export const summed: Rule = (inputs) => {
  const same = alike(inputs);
  // x + c, with one c for all units, is not zero if x is, nor do shares add up; its mean is still the mean.
  const shifted = inputs.some((fresh) => fresh === undefined);
  return same === undefined || (shifted && same !== "mean") ? elementwise(inputs) : same;
};

/** A product: linear in each input separately. */
export const multiplied: Rule = (inputs) => {
  const all = carrying(inputs);
  if (all.length === 1) return all[0] as Contents;
  // A share of a weight and the rest of it are both multiplied by copies.
  if (all.includes("part")) {
    return all.filter((fresh) => fresh !== "copy").length === 1 ? "part" : elementwise(inputs);
  }
  return all.includes("zero") ? "zero" : elementwise(inputs);
};

/** As {@link elementwise}, for functions that are not finite at zero; interval rules say where else they are not. */
export const notAtZero: Rule = refusesZero("it is not finite if new units are zero");

/** As {@link elementwise}, for functions finite at zero, but with an infinite slope: no unit could start there. */
export const steepAtZero: Rule = refusesZero("its slope is infinite if new units are zero");

function refusesZero(blocked: string): Rule {
  return (inputs) => (carrying(inputs).includes("zero") ? { blocked } : elementwise(inputs));
}

/** A product plus something added to it, as in Gemm and Conv: [a, b, bias]. */
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
