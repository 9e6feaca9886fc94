/**
 * Bounds on the entries of a value, known without running the model, and whether they are finite if the
 * model's inputs and weights are. Sums and products are assumed to stay within the range of floats: what
 * matters is what overflows or is undefined near ordinary numbers, such as exp(89), ln 0 and √-1.
 */
export interface Interval {
  readonly least: number;
  readonly most: number;
  /** The worst that an entry may be; `infinite` stands for the infinity at an open end. */
  readonly holds: "finite" | "infinite" | "nan";
  /** Known not to be zero, although 0 may be between the ends. */
  readonly nonzero?: boolean;
  /** If every entry is the largest of some entries of another value. */
  readonly maximum?: Maximum;
  /** Along these axes together, some entry is at least `at`. */
  readonly peak?: { readonly axes: readonly number[]; readonly at: number };
}

/** The largest entries of value `of` along axes; in a value of this shape they broadcast along those axes again. */
export interface Maximum {
  readonly of: string;
  readonly axes: readonly number[];
  readonly shape: readonly (number | string)[];
}

export const anything: Interval = {
  least: Number.NEGATIVE_INFINITY,
  most: Number.POSITIVE_INFINITY,
  holds: "finite",
};
export const notANumber: Interval = { ...anything, holds: "nan" };

export function between(least: number, most: number, holds: Interval["holds"] = "finite"): Interval {
  return { least, most, holds };
}

const worse = (a: Interval["holds"], b: Interval["holds"]) =>
  a === "nan" || b === "nan" ? "nan" : a === "infinite" || b === "infinite" ? "infinite" : "finite";

/** The smallest interval that contains all of these. */
export function hull(...all: readonly Interval[]): Interval {
  return all.reduce((a, b) =>
    between(Math.min(a.least, b.least), Math.max(a.most, b.most), worse(a.holds, b.holds)),
  );
}

export function negated(x: Interval): Interval {
  return between(-x.most, -x.least, x.holds);
}

export function added(a: Interval, b: Interval): Interval {
  const opposed =
    a.holds === "infinite" &&
    b.holds === "infinite" &&
    ((a.most === Number.POSITIVE_INFINITY && b.least === Number.NEGATIVE_INFINITY) ||
      (a.least === Number.NEGATIVE_INFINITY && b.most === Number.POSITIVE_INFINITY));
  return opposed ? notANumber : between(a.least + b.least, a.most + b.most, worse(a.holds, b.holds));
}

export function product(a: Interval, b: Interval): Interval {
  const [wild, other] = a.holds === "infinite" ? [a, b] : [b, a];
  if (wild.holds === "infinite" && mayBeZero(other)) return notANumber;
  // Zero times anything is zero, even times an infinite end.
  const times = (x: number, y: number) => (x === 0 || y === 0 ? 0 : x * y);
  const ends = [a.least, a.most].flatMap((x) => [times(x, b.least), times(x, b.most)]);
  return between(Math.min(...ends), Math.max(...ends), worse(a.holds, b.holds));
}

export function squared(x: Interval): Interval {
  const ends = [x.least ** 2, x.most ** 2];
  return between(contains(x, 0) ? 0 : Math.min(...ends), Math.max(...ends), x.holds);
}

export function quotient(a: Interval, b: Interval): Interval {
  if (mayBeZero(b)) return { ...anything, holds: mayBeZero(a) || a.holds !== "finite" ? "nan" : "infinite" };
  if (a.holds === "infinite" && b.holds === "infinite") return notANumber;
  const inverse = contains(b, 0) ? anything : between(1 / b.most, 1 / b.least);
  return { ...product({ ...a, holds: "finite" }, inverse), holds: a.holds };
}

/** The sum of entries of one value, at least one. */
export function summedUp(x: Interval): Interval {
  const least = x.least >= 0 ? x.least : Number.NEGATIVE_INFINITY;
  const most = x.most <= 0 ? x.most : Number.POSITIVE_INFINITY;
  return between(least, most, ofMany(x));
}

/** The mean of entries of one value. */
export function averaged(x: Interval): Interval {
  return between(x.least, x.most, ofMany(x));
}

/** Infinities of both signs add up to NaN. */
function ofMany(x: Interval): Interval["holds"] {
  return x.holds === "infinite" && x.least < 0 && x.most > 0 ? "nan" : x.holds;
}

const contains = (x: Interval, number: number) => x.least <= number && number <= x.most;
const mayBeZero = (x: Interval) => contains(x, 0) && x.nonzero !== true;
