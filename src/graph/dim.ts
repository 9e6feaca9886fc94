/**
 * A symbolic size: a number, or the text of a polynomial in named sizes with integer coefficients, such as
 * "batch", "hidden1*49" or "a+b". Text is kept canonical, so equal sizes are equal strings. The smaller of a
 * number and a named size is itself a named size: "min(512,sequence)".
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** Monomial ("a*b", or "" for the constant) to coefficient. */
type Polynomial = ReadonlyMap<string, number>;

/** Sizes are parsed and multiplied over and over during shape inference; a graph has few different ones. */
const parsed = new Map<string, Polynomial>();
const products = new Map<string, Dim>();
const maxRemembered = 10_000;

function remember<V>(memory: Map<string, V>, key: string, make: () => V): V {
  const known = memory.get(key);
  if (known !== undefined) return known;
  if (memory.size >= maxRemembered) memory.clear();
  const made = make();
  memory.set(key, made);
  return made;
}

function parse(dim: Dim): Polynomial {
  if (typeof dim === "number") return new Map(dim === 0 ? [] : [["", dim]]);
  return remember(parsed, dim, () => parseText(dim));
}

function parseText(dim: string): Polynomial {
  const terms = new Map<string, number>();
  for (const term of dim.split("+")) {
    let coefficient = 1;
    const names: string[] = [];
    for (const factor of term.split("*")) {
      if (/^-?\d+$/.test(factor)) coefficient *= Number(factor);
      else names.push(factor);
    }
    const key = names.sort().join("*");
    terms.set(key, (terms.get(key) ?? 0) + coefficient);
  }
  return terms;
}

function print(polynomial: Polynomial): Dim {
  const terms = [...polynomial]
    .filter(([, coefficient]) => coefficient !== 0)
    .sort(([a], [b]) => (a < b ? 1 : -1));
  if (terms.length === 0) return 0;
  if (terms.length === 1 && terms[0]?.[0] === "") return terms[0][1];
  return terms
    .map(([names, coefficient]) =>
      names === "" ? String(coefficient) : coefficient === 1 ? names : `${coefficient}*${names}`,
    )
    .join("+");
}

/** The sum of two sizes. */
export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  const sum = new Map(parse(a));
  for (const [names, coefficient] of parse(b)) sum.set(names, (sum.get(names) ?? 0) + coefficient);
  return print(sum);
}

/** The product of two sizes. */
export function multiplyDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a * b;
  if (a === 1 || b === 1) return a === 1 ? b : a;
  return remember(products, `${a}·${b}`, () => multiplyTexts(a, b));
}

function multiplyTexts(a: Dim, b: Dim): Dim {
  const product = new Map<string, number>();
  for (const [left, x] of parse(a)) {
    for (const [right, y] of parse(b)) {
      const key = [...left.split("*"), ...right.split("*")]
        .filter((name) => name !== "")
        .sort()
        .join("*");
      product.set(key, (product.get(key) ?? 0) + x * y);
    }
  }
  return print(product);
}

/** A name that stands for the smaller of a number and another name. */
const smaller = /^min\((\d+),(.+)\)$/s;

/** The smaller of a number and a size; undefined if it cannot be named. */
export function minDim(most: number, size: Dim): Dim | undefined {
  if (typeof size === "number") return Math.min(most, size);
  const [, less, of] = smaller.exec(size) ?? [];
  if (of !== undefined) return minDim(Math.min(most, Number(less)), of);
  return /[+*]/.test(size) || most < 0 ? undefined : `min(${most},${size})`;
}

/** The number that a name stands for; undefined if it is not bound. */
function numberOf(name: string, bindings: ReadonlyMap<string, number>): number | undefined {
  const direct = bindings.get(name);
  const [, less, of] = direct === undefined ? (smaller.exec(name) ?? []) : [];
  if (of === undefined) return direct;
  const value = numberOf(of, bindings);
  return value === undefined ? undefined : Math.min(Number(less), value);
}

export function productOfDims(dims: Shape): Dim {
  return dims.reduce<Dim>(multiplyDims, 1);
}

/** `a / b` if it divides evenly, symbol by symbol; undefined otherwise. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  if (a === b) return 1;
  if (b === 1) return a;
  if (typeof a === "number" && typeof b === "number") return b !== 0 && a % b === 0 ? a / b : undefined;
  const divisor = [...parse(b)];
  if (divisor.length !== 1) return undefined;
  const [names, coefficient] = divisor[0] as [string, number];
  const quotient = new Map<string, number>();
  for (const [term, x] of parse(a)) {
    const left = term.split("*").filter((name) => name !== "");
    for (const name of names.split("*").filter((part) => part !== "")) {
      const at = left.indexOf(name);
      if (at < 0) return undefined;
      left.splice(at, 1);
    }
    if (x % coefficient !== 0) return undefined;
    quotient.set(left.join("*"), x / coefficient);
  }
  return print(quotient);
}

/** The value of a size under `bindings`; undefined if a name is not bound. */
export function evaluateDim(dim: Dim, bindings: ReadonlyMap<string, number>): number | undefined {
  if (typeof dim === "number") return dim;
  const direct = numberOf(dim, bindings);
  if (direct !== undefined) return direct;
  let total = 0;
  for (const [names, coefficient] of parse(dim)) {
    let product = coefficient;
    for (const name of names.split("*").filter((part) => part !== "")) {
      const value = numberOf(name, bindings);
      if (value === undefined) return undefined;
      product *= value;
    }
    total += product;
  }
  return total;
}

/** A size with some of its names replaced by numbers; a number once all of them are. */
export function bindDim(dim: Dim, bindings: ReadonlyMap<string, number>): Dim {
  if (typeof dim === "number") return dim;
  let total: Dim = 0;
  for (const [names, coefficient] of parse(dim)) {
    const factors = names.split("*").filter((name) => name !== "");
    const bound = factors.map((name): Dim => numberOf(name, bindings) ?? name);
    total = addDims(total, bound.reduce<Dim>(multiplyDims, coefficient));
  }
  return total;
}

/** The named sizes in a size. */
export function namesOf(dim: Dim): readonly string[] {
  return typeof dim === "number" ? [] : [...parse(dim).keys()].flatMap(factorsOf);
}

function factorsOf(names: string): readonly string[] {
  return names
    .split("*")
    .filter((name) => name !== "")
    .map((name) => smaller.exec(name)?.[2] ?? name);
}

export function isConcrete(shape: Shape): shape is readonly number[] {
  return shape.every((dim) => typeof dim === "number");
}
