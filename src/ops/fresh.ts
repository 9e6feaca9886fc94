/**
 * What the new units of a width hold in a value, told without running it:
 * - `zero`: zeros, for every example
 * - `mean`: the mean of the old units at the same place (what LayerNorm needs)
 * - `copy`: what an old unit holds, each old one equally often (what every normalisation over units needs)
 * - `part`: shares of an old unit's weight that add up to it (what copies must be multiplied with)
 * - `any`: something finite
 */
export type Fresh = "zero" | "mean" | "copy" | "part" | "any";

/** Why what new units hold cannot be told, or must not pass. */
export interface Refusal {
  readonly blocked: string;
}

type Rule = (inputs: readonly (Fresh | undefined)[]) => Fresh | Refusal;

const carrying = (inputs: readonly (Fresh | undefined)[]) =>
  inputs.filter((fresh): fresh is Fresh => fresh !== undefined);

/** A function of one unit at a time: equal units give equal results. */
export const elementwise: Rule = (inputs) =>
  carrying(inputs).every((fresh) => fresh === "copy") ? "copy" : "any";

/** As {@link elementwise}, of one input and with f(0) = 0. */
export const zeroAtZero: Rule = (inputs) => (inputs[0] === "zero" ? "zero" : elementwise(inputs));

/** Moves elements without changing them. */
export const moved: Rule = (inputs) => alike(inputs) ?? "any";

/** A sum or difference: linear in all inputs at once. */
export const summed: Rule = (inputs) => {
  const same = alike(inputs);
  // x + c, with one c for all units, is not zero where x is; its mean is still the mean.
  if (same === "zero" && inputs.some((fresh) => fresh === undefined)) return "any";
  return same ?? (carrying(inputs).every((fresh) => fresh === "copy") ? "copy" : "any");
};

/** A product: linear in each input by itself. */
export const multiplied: Rule = (inputs) => {
  const all = carrying(inputs);
  if (all.includes("zero")) return "zero";
  return all.length === 1 ? (all[0] as Fresh) : elementwise(inputs);
};

/** As {@link elementwise}, for functions that need not be finite everywhere; `rule` says where. */
export function finiteOnly(rule: string): Rule {
  return (inputs) => {
    const result = elementwise(inputs);
    return result === "copy" ? result : { blocked: `new units may not be ${rule} there` };
  };
}

function alike(inputs: readonly (Fresh | undefined)[]): Fresh | undefined {
  const [first, ...rest] = carrying(inputs);
  return rest.every((fresh) => fresh === first) ? first : undefined;
}
