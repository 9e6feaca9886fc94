/**
 * At most `limit` of `items`, in order, for drawing: the first, the last, and the lowest and highest value of
 * each stretch in between, so that no spike is lost. A stretch with no finite value keeps one item, so that a
 * gap stays a gap. `limit` is at least 4.
 */
export function thin<Item>(
  items: readonly Item[],
  value: (item: Item) => number,
  limit = 600,
): readonly Item[] {
  if (items.length <= limit) return items;
  const stretches = Math.floor((limit - 2) / 2);
  const inner = items.length - 2;
  const kept: Item[] = [items[0] as Item];
  for (let stretch = 0; stretch < stretches; stretch++) {
    const start = 1 + Math.floor((stretch * inner) / stretches);
    const end = 1 + Math.floor(((stretch + 1) * inner) / stretches);
    let low = start;
    let high = start;
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    for (let index = start; index < end; index++) {
      const candidate = value(items[index] as Item);
      if (!Number.isFinite(candidate)) continue;
      if (candidate < lowest) [low, lowest] = [index, candidate];
      if (candidate > highest) [high, highest] = [index, candidate];
    }
    kept.push(items[Math.min(low, high)] as Item);
    if (low !== high) kept.push(items[Math.max(low, high)] as Item);
  }
  kept.push(items[items.length - 1] as Item);
  return kept;
}

/** At most `limit` of `items`, evenly spaced, including the first and the last. `limit` is at least 2. */
export function sample<Item>(items: readonly Item[], limit: number): readonly Item[] {
  if (items.length <= limit) return items;
  const stride = (items.length - 1) / (limit - 1);
  return Array.from({ length: limit }, (_, index) => items[Math.round(index * stride)] as Item);
}
