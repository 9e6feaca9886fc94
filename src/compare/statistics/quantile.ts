/**
 * The quantile `share` (0 to 1) of values, interpolated linearly (type 7 of Hyndman & Fan, 1996). Infinity stands for
 * what never arrived and sorts last. NaN for no values.
 */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)] as number;
  const high = sorted[Math.ceil(place)] as number;
  // Not multiplied by the fraction: 0 × ∞ is NaN.
  return low === high ? low : low + (place - Math.floor(place)) * (high - low);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
