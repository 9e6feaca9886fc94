import { type AgeRun, type Births, generations } from "../optimizers/ages.ts";
import { factorAt, type Newborn, type UpdateTime } from "../optimizers/newborn.ts";
import type { Factor, Optimizer } from "../optimizers/optimizer.ts";

/** Space in the kernel's memory for one factor of each entry of a row. */
export interface FactorRow {
  readonly address: number;
  readonly values: Float32Array;
}

/** One factor: its value in this step for each generation, and the row that the kernel reads if ages differ by column. */
interface Held {
  readonly factor: Factor;
  values: Float64Array;
  /** Whether all generations have one value. */
  uniform: boolean;
  row: FactorRow | undefined;
  /** The value of the whole row, if it is a single one. */
  filled: number;
}

/** The optimizer's factors as the kernel takes them, computed once a step for each generation of entries. */
export class KernelFactors {
  readonly #held: readonly Held[];
  readonly #newborn: Newborn | undefined;
  #births: Int32Array = new Int32Array(1);

  constructor({ factors }: Optimizer, newborn: Newborn | undefined) {
    this.#newborn = newborn;
    this.#held = factors.map((factor) => ({
      factor,
      values: new Float64Array(1),
      uniform: true,
      row: undefined,
      filled: Number.NaN,
    }));
  }

  /** How many rows it needs space for: none if entries never differ. */
  get rows(): number {
    return this.#differ ? this.#held.length : 0;
  }

  get #differ(): boolean {
    return this.#newborn !== undefined || this.#held.some(({ factor }) => factor.byAge);
  }

  /** Takes the space, as wide as the widest row of a parameter. */
  place(rows: readonly FactorRow[]): void {
    this.#held.forEach((held, index) => {
      held.row = rows[index];
      held.filled = Number.NaN;
    });
  }

  /** Finds the generations of all parameters. Returns their births; undefined if entries never differ. */
  find(parameters: Iterable<Births>): Int32Array | undefined {
    if (!this.#differ) return undefined;
    this.#births = generations(parameters);
    for (const held of this.#held) held.values = new Float64Array(this.#births.length);
    return this.#births;
  }

  /** Computes the factors for one step. Returns whether entries differ in any, so that runs must be distinguished. */
  workOut(time: UpdateTime): boolean {
    let differ = false;
    for (const held of this.#held) {
      held.uniform = true;
      for (let generation = 0; generation < held.values.length; generation++) {
        const birth = this.#births[generation] as number;
        const value = factorAt(held.factor, birth, time, this.#newborn);
        held.values[generation] = value;
        if (value !== held.values[0]) held.uniform = false;
      }
      if (!held.uniform) differ = true;
    }
    return differ;
  }

  /** Writes into `factors` what the kernel takes for a run: numbers, or the addresses of rows filled here. */
  read(factors: number[], { generation, columns }: AgeRun): void {
    for (let index = 0; index < this.#held.length; index++) {
      const held = this.#held[index] as Held;
      if (columns === undefined) factors[index] = held.values[generation] as number;
      else factors[index] = fill(held, generation, columns);
    }
  }
}

/** Fills a factor's row for a run whose columns differ in age, unless it already has those values. */
function fill(held: Held, generation: number, columns: Int32Array): number {
  const { values, uniform, filled } = held;
  const row = held.row as FactorRow;
  const first = values[0] as number;
  if (!uniform) {
    for (let column = 0; column < columns.length; column++) {
      row.values[column] = values[Math.max(columns[column] as number, generation)] as number;
    }
  } else if (filled !== first) row.values.fill(first);
  held.filled = uniform ? first : Number.NaN;
  return row.address;
}
