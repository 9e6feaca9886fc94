import { unitPositions } from "../../graph/layout.ts";
import { axisView } from "../../tensor/axis.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { realValues } from "./real-parameter.ts";
import type { WidthPart } from "./width.ts";

/** The entries of one parameter, or of a tensor of its shape, that belong to each unit of a width; of any type of weights. */
export class UnitEntries {
  readonly part: WidthPart;
  /** The whole tensor as numbers. */
  readonly values: ArrayLike<number>;
  /** Entries per unit. */
  readonly count: number;
  readonly #offsets: (unit: number) => Int32Array;

  constructor(part: WidthPart, tensor: Tensor, units: number) {
    this.part = part;
    this.values = realValues(tensor);
    const { outer, size, inner } = axisView(tensor.dims, part.axis);
    const { perUnit, positions } = unitPositions(part.layout, units);
    this.count = perUnit * outer * inner;
    this.#offsets = (unit) => {
      const offsets = new Int32Array(this.count);
      let next = 0;
      for (let index = unit * perUnit; index < (unit + 1) * perUnit; index++) {
        for (let block = 0; block < outer; block++) {
          const start = (block * size + (positions[index] as number)) * inner;
          for (let offset = 0; offset < inner; offset++) offsets[next++] = start + offset;
        }
      }
      return offsets;
    };
  }

  /** Offsets of a unit's entries in the tensor; entry `i` of any two units stands for the same thing. */
  offsetsOf(unit: number): Int32Array {
    return this.#offsets(unit);
  }

  /** A unit's entries. */
  of(unit: number): Float64Array {
    const offsets = this.#offsets(unit);
    const entries = new Float64Array(offsets.length);
    // Several times as fast as `Float64Array.from`, and called for every unit of a model.
    for (let index = 0; index < offsets.length; index++) {
      entries[index] = this.values[offsets[index] as number] as number;
    }
    return entries;
  }
}
