/**
 * The quantile `share` (0 to 1) of values, between two of them linearly (type 7 of Hyndman & Fan, 1996). Infinity may be
 * among them and comes last: what never arrived. NaN for no values.
 */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)] as number;
  const high = sorted[Math.ceil(place)] as number;
  // Not by a product with the part: 0 × ∞ is no number.
  return low === high ? low : low + (place - Math.floor(place)) * (high - low);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
