import { growthIndices, type Layout, unitPositions } from "../../src/graph/layout.ts";
import type { Contents } from "../../src/ops/rules/contents.ts";
import { axisView, take } from "../../src/tensor/axis.ts";
import { isFloat } from "../../src/tensor/dtype.ts";
import type { Random } from "../../src/tensor/random.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

/** An axis of units that grows. */
export interface GrownAxis {
  readonly axis: number;
  readonly layout: Layout;
  readonly from: number;
  readonly to: number;
}

/** For each unit, the positions of its entries in the data. */
function entriesOf(
  dims: readonly number[],
  axis: number,
  layout: Layout,
  units: number,
): readonly number[][] {
  const { outer, size, inner } = axisView(dims, axis);
  const { perUnit, positions } = unitPositions(layout, units);
  return Array.from({ length: units }, (_, unit) => {
    const entries: number[] = [];
    for (let block = 0; block < outer; block++) {
      for (let owned = 0; owned < perUnit; owned++) {
        const slice = block * size + (positions[unit * perUnit + owned] as number);
        for (let at = 0; at < inner; at++) entries.push(slice * inner + at);
      }
    }
    return entries;
  });
}

/** The values of each unit on an axis. */
export function unitsOf(tensor: Tensor, axis: number, layout: Layout, units: number): readonly number[][] {
  return entriesOf(tensor.dims, axis, layout, units).map((entries) =>
    entries.map((at) => Number(tensor.data[at])),
  );
}

/**
 * A tensor with new units that contain `kind`. If that is `part`, the old ones keep the shares that the new
 * ones do not get.
 */
export function fillUnits(tensor: Tensor, grown: GrownAxis, kind: Contents, random: Random): Tensor {
  const { axis, layout, from, to } = grown;
  const result = take(tensor, axis, growthIndices(layout, from, to - from));
  const entries = entriesOf(result.dims, axis, layout, to);
  const get = (at: number) => Number(result.data[at]);
  const set = (at: number, value: number) => {
    result.data[at] = typeof result.data[at] === "bigint" ? BigInt(value) : value;
  };
  for (let unit = from; unit < to; unit++) {
    const origin = entries[unit % from] as readonly number[];
    for (const [index, at] of (entries[unit] as readonly number[]).entries()) {
      const old = origin[index] as number;
      if (kind === "mean") {
        const sum = entries.slice(0, from).reduce((total, one) => total + get(one[index] as number), 0);
        set(at, sum / from);
      } else if (kind === "copy") set(at, get(old));
      else if (kind === "part") {
        const share = get(old) * random.uniform();
        set(at, share);
        set(old, get(old) - get(at));
      } else if (kind === "any") {
        // In the range of the old ones, with the same signs: rules may rely on that if a function is not
        // defined everywhere.
        const sample = Number(tensor.data[Math.floor(random.uniform() * tensor.data.length)]);
        set(at, isFloat(tensor.dtype) ? sample * (0.5 + random.uniform()) : sample);
      }
    }
  }
  return result;
}
