import { growthIndices, unitPositions } from "../../graph/layout.ts";
import type { WidthPart } from "../../growth/plan/width.ts";
import { Random } from "../../tensor/random.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { EntryFill } from "./entry-fill.ts";
import { type Rows, rowCount, rowLength } from "./rows.ts";

/** What is to be known of a growth of one axis. */
export interface Widening {
  readonly edit: Pick<WidthPart, "parameter" | "axis" | "layout" | "fill">;
  readonly from: number;
  readonly to: number;
  readonly seed: number;
  /** Of new entries, where they are made one by one. */
  readonly entry: EntryFill | undefined;
  /** What is added to a stored entry before it is used. */
  readonly offset: number;
}

/** One unit's entries lie in runs: at one of its positions, in one window of rows, one after the other. */
interface Run {
  readonly unit: number;
  /** Number of the first entry among all of the unit's. */
  readonly first: number;
  /** Where each piece of the run begins in the window; a piece is `inner` entries long. */
  readonly starts: readonly number[];
}

/**
 * The tensor with an axis grown from `from` to `to` units, the same to the bit as the library makes it in memory: draws are
 * a function of seed, parameter, unit and entry, so that rows can be made in any order.
 */
export function widenedRows(source: Rows, widening: Widening): Rows {
  return new Widened(source, widening);
}

class Widened implements Rows {
  readonly dims: readonly number[];
  readonly #source: Rows;
  readonly #widening: Widening;
  /** For each new position of the axis the old one, or -1. */
  readonly #indices: Int32Array;
  /** For each new position the unit and which of its positions it is; -1 where it is none. */
  readonly #unitAt: Int32Array;
  readonly #placeAt: Int32Array;
  readonly #oldPositions: Int32Array;
  readonly #perUnit: number;
  readonly #inner: number;
  /** Blocks of the axis: in one row, and in all. */
  readonly #outer: number;
  readonly #blocks: number;
  readonly #draws = new Map<number, Random>();
  #means: Float64Array | undefined;

  constructor(source: Rows, widening: Widening) {
    const { axis, layout } = widening.edit;
    this.#source = source;
    this.#widening = widening;
    this.#indices = growthIndices(layout, widening.from, widening.to - widening.from);
    const { perUnit, positions } = unitPositions(layout, widening.to);
    this.#perUnit = perUnit;
    this.#oldPositions = unitPositions(layout, widening.from).positions;
    this.#unitAt = new Int32Array(this.#indices.length).fill(-1);
    this.#placeAt = new Int32Array(this.#indices.length);
    positions.forEach((position, at) => {
      this.#unitAt[position] = Math.floor(at / perUnit);
      this.#placeAt[position] = at % perUnit;
    });
    this.#inner = sizeOf(source.dims.slice(axis + 1));
    this.#outer = axis === 0 ? 1 : sizeOf(source.dims.slice(1, axis));
    this.#blocks = axis === 0 ? 1 : rowCount(source) * this.#outer;
    this.dims = source.dims.map((size, at) => (at === axis ? this.#indices.length : size));
  }

  rows = (from: number, count: number): Float64Array =>
    this.#widening.edit.axis === 0 ? this.#ofFirstAxis(from, count) : this.#ofLaterAxis(from, count);

  storedRow = (row: number): number => {
    const { axis, fill } = this.#widening.edit;
    const old = axis === 0 && fill !== "part" ? this.#originOf(row) : -1;
    return old < 0 ? -1 : (this.#source.storedRow?.(old) ?? -1);
  };

  #ofFirstAxis(from: number, count: number): Float64Array {
    const length = rowLength(this.#source);
    const values = new Float64Array(count * length);
    for (let at = 0; at < count; at++) {
      const position = from + at;
      const old = this.#originOf(position);
      if (old >= 0) {
        let run = 1;
        while (at + run < count && this.#originOf(position + run) === old + run) run++;
        values.set(this.#source.rows(old, run), at * length);
        for (let next = at; next < at + run; next++) this.#fill(values, from + next, [next * length], 0);
        at += run - 1;
      } else this.#fill(values, position, [at * length], 0);
    }
    return values;
  }

  #ofLaterAxis(from: number, count: number): Float64Array {
    const [inner, size, grown] = [
      this.#inner,
      this.#source.dims[this.#widening.edit.axis] as number,
      this.#indices.length,
    ];
    const before = this.#source.rows(from, count);
    const values = new Float64Array(count * this.#outer * grown * inner);
    const blocks = count * this.#outer;
    for (let block = 0; block < blocks; block++) {
      for (let position = 0; position < grown; ) {
        const old = this.#originOf(position);
        let run = 1;
        while (position + run < grown && old >= 0 && this.#originOf(position + run) === old + run) run++;
        if (old >= 0) {
          const start = (block * size + old) * inner;
          values.set(before.subarray(start, start + run * inner), (block * grown + position) * inner);
        }
        position += run;
      }
    }
    const starts = Array.from({ length: blocks }, (_, block) => block * grown * inner);
    for (let position = 0; position < grown; position++) {
      if (this.#touches(position)) {
        this.#fill(
          values,
          position,
          starts.map((start) => start + position * inner),
          from * this.#outer,
        );
      }
    }
    return values;
  }

  /** The old position that a position holds the values of, before it is filled; -1 for none. */
  #originOf(position: number): number {
    const old = this.#indices[position] as number;
    const { fill } = this.#widening.edit;
    if (old >= 0 || (fill !== "copy" && fill !== "part")) return old;
    const unit = (this.#unitAt[position] as number) % this.#widening.from;
    return this.#oldPositions[unit * this.#perUnit + (this.#placeAt[position] as number)] as number;
  }

  #touches(position: number): boolean {
    const { fill } = this.#widening.edit;
    if (fill === "copy") return false;
    return fill === "part"
      ? (this.#unitAt[position] as number) >= 0
      : (this.#indices[position] as number) < 0;
  }

  /** Writes what stands at a position: pieces of `inner` entries from each of `starts` on. */
  #fill(values: Float64Array, position: number, starts: readonly number[], firstBlock: number): void {
    if (!this.#touches(position)) return;
    const { edit, entry, from, to, offset } = this.#widening;
    const unit = this.#unitAt[position] as number;
    const place = this.#placeAt[position] as number;
    const run: Run = { unit, first: (place * this.#blocks + firstBlock) * this.#inner, starts };
    if (edit.fill === "part") {
      const copies = to / from;
      const own = Math.floor(unit / from);
      const draws = this.#drawsOf(unit % from, run.first);
      this.#each(run, (at) => {
        if (Math.floor(draws.uniform() * copies) !== own) values[at] = 0;
      });
    } else if (edit.fill === "mean") {
      if (edit.axis === 0) {
        const means = this.#meansOfUnits();
        this.#each(run, (at, index) => {
          values[at] = means[index] as number;
        });
      } else this.#fillRowMeans(values, position, starts);
    } else if (entry !== undefined) {
      const draws = this.#drawsOf(unit, run.first * entry.words);
      const length = this.#perUnit * this.#blocks * this.#inner;
      this.#each(run, (at) => {
        values[at] = entry.value(draws, length, to) - offset;
      });
    }
  }

  #each({ first, starts }: Run, visit: (at: number, index: number) => void): void {
    let index = first;
    for (const start of starts) {
      for (let at = start; at < start + this.#inner; at++) visit(at, index++);
    }
  }

  /** The generator of a unit, at a word of it. */
  #drawsOf(unit: number, word: number): Random {
    const { edit, seed } = this.#widening;
    let draws = this.#draws.get(unit);
    if (draws === undefined) {
      if (this.#draws.size > 4096) this.#draws.clear();
      draws = new Random(seed, `grow ${edit.parameter}`, unit);
      this.#draws.set(unit, draws);
    }
    draws.seek(word);
    return draws;
  }

  /** Means over old units along the first axis, which takes a pass over all of them. */
  #meansOfUnits(): Float64Array {
    if (this.#means !== undefined) return this.#means;
    const { from } = this.#widening;
    const length = rowLength(this.#source);
    const sums = new Float64Array(this.#perUnit * length);
    for (let unit = 0; unit < from; unit++) {
      for (let place = 0; place < this.#perUnit; place++) {
        const row = this.#source.rows(this.#oldPositions[unit * this.#perUnit + place] as number, 1);
        for (let at = 0; at < length; at++) {
          sums[place * length + at] = (sums[place * length + at] as number) + (row[at] as number);
        }
      }
    }
    this.#means = sums.map((sum) => sum / from);
    return this.#means;
  }

  /** Means over old units along a later axis: all of them are in the window. */
  #fillRowMeans(values: Float64Array, position: number, starts: readonly number[]): void {
    const { from } = this.#widening;
    const place = this.#placeAt[position] as number;
    const olds: number[] = [];
    for (let other = 0; other < this.#indices.length; other++) {
      const isOld = (this.#indices[other] as number) >= 0;
      if (isOld && (this.#unitAt[other] as number) >= 0 && this.#placeAt[other] === place) olds.push(other);
    }
    for (const start of starts) {
      const block = start - position * this.#inner;
      for (let offset = 0; offset < this.#inner; offset++) {
        let sum = 0;
        for (const other of olds) sum += values[block + other * this.#inner + offset] as number;
        values[start + offset] = sum / from;
      }
    }
  }
}
