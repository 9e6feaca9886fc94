/** 0.0123 as "1.23 %"; a decrease that is a rise as "-3 %". */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** A number with three digits: "0.0123", "1.23e-7". */
export function figure(value: number): string {
  const small = value !== 0 && Math.abs(value) < 1e-3;
  return small ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}

/** 1234567 as "1,234,567", and anything of seven digits and more as "1.23e+9". */
export function amount(count: number): string {
  return count < 1e7 ? Math.round(count).toLocaleString("en-US") : count.toExponential(2);
}

/** "1 unit", "3 units". */
export function plural(count: number, noun: string): string {
  return `${amount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** "a", "a and b", "a, b and c". */
export function listed(names: readonly string[]): string {
  const [last = "", ...others] = [...names].reverse();
  return others.length === 0 ? last : `${others.reverse().join(", ")} and ${last}`;
}
