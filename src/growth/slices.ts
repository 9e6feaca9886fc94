import { axisView } from "../tensor/axis.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * The slices of a parameter along the axis of a width, unit by unit. A unit may own several positions
 * (a flattened channel owns 49); its values are those positions' slices, one after another.
 */
export class Slices {
  readonly #data: Float32Array;
  readonly #view: { readonly outer: number; readonly size: number; readonly inner: number };
  readonly #positions: readonly (readonly number[])[];
  readonly parameter: string;

  constructor(
    parameter: string,
    tensor: Tensor<"float32">,
    axis: number,
    positions: readonly (readonly number[])[],
  ) {
    this.parameter = parameter;
    this.#data = tensor.data;
    this.#view = axisView(tensor.dims, axis);
    this.#positions = positions;
  }

  /** Number of values that one unit owns: the fan-in of an incoming weight. */
  get length(): number {
    return (this.#positions[0]?.length ?? 0) * this.#view.outer * this.#view.inner;
  }

  get(unit: number): Float32Array {
    const values = new Float32Array(this.length);
    const { outer, size, inner } = this.#view;
    let next = 0;
    for (const position of this.#positions[unit] ?? []) {
      for (let block = 0; block < outer; block++) {
        const start = (block * size + position) * inner;
        if (inner === 1) values[next] = this.#data[start] as number;
        else values.set(this.#data.subarray(start, start + inner), next);
        next += inner;
      }
    }
    return values;
  }

  /** Replaces a unit's values by `value(old, i)`. */
  map(unit: number, value: (old: number, index: number) => number): void {
    const { outer, size, inner } = this.#view;
    let next = 0;
    for (const position of this.#positions[unit] ?? []) {
      for (let block = 0; block < outer; block++) {
        const start = (block * size + position) * inner;
        for (let index = start; index < start + inner; index++) {
          this.#data[index] = value(this.#data[index] as number, next++);
        }
      }
    }
  }
}
