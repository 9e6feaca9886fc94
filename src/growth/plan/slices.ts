import type { UnitPositions } from "../../graph/layout.ts";
import { type AxisView, axisView } from "../../tensor/axis.ts";
import type { Reals } from "./real-parameter.ts";

/**
 * The slices of a parameter along the axis of a width, unit by unit. A unit may own several positions
 * (a flattened channel owns 49); its values are those positions' slices, one after another.
 */
export class Slices {
  readonly #data: Reals["data"];
  readonly #view: AxisView;
  readonly #units: UnitPositions;
  readonly parameter: string;

  constructor(parameter: string, tensor: Reals, axis: number, units: UnitPositions) {
    this.parameter = parameter;
    this.#data = tensor.data;
    this.#view = axisView(tensor.dims, axis);
    this.#units = units;
  }

  /** Number of values of one unit: the fan-in of an incoming weight. */
  get length(): number {
    return this.#units.perUnit * this.#view.outer * this.#view.inner;
  }

  get(unit: number): Reals["data"] {
    const { length } = this;
    const values = this.#data instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
    this.copy(unit, values, 0);
    return values;
  }

  /** Copies a unit's values to `into`, starting at `offset`. */
  copy(unit: number, into: Reals["data"], offset: number): void {
    const { inner } = this.#view;
    let next = offset;
    this.#eachSlice(unit, (start) => {
      if (inner === 1) into[next] = this.#data[start] as number;
      else into.set(this.#data.subarray(start, start + inner), next);
      next += inner;
    });
  }

  /** The sum of the first `count` units, value by value, in double precision. */
  sum(count: number): Float64Array {
    const { outer, size, inner } = this.#view;
    const { perUnit, positions } = this.#units;
    const sum = new Float64Array(this.length);
    // In memory order: a transposed order would miss the cache at every value.
    for (let block = 0; block < outer; block++) {
      for (let index = 0; index < count * perUnit; index++) {
        const start = (block * size + (positions[index] as number)) * inner;
        const into = ((index % perUnit) * outer + block) * inner;
        for (let offset = 0; offset < inner; offset++) {
          sum[into + offset] = (sum[into + offset] as number) + (this.#data[start + offset] as number);
        }
      }
    }
    return sum;
  }

  /** Replaces a unit's values by `value(old, i)`. */
  map(unit: number, value: (old: number, index: number) => number): void {
    const { inner } = this.#view;
    let next = 0;
    this.#eachSlice(unit, (start) => {
      for (let index = start; index < start + inner; index++) {
        this.#data[index] = value(this.#data[index] as number, next++);
      }
    });
  }

  /** Calls `visit` with the offset of each run of `inner` elements of a unit. */
  #eachSlice(unit: number, visit: (start: number) => void): void {
    const { outer, size, inner } = this.#view;
    const { perUnit, positions } = this.#units;
    for (let index = unit * perUnit; index < (unit + 1) * perUnit; index++) {
      const position = positions[index] as number;
      for (let block = 0; block < outer; block++) visit((block * size + position) * inner);
    }
  }
}
