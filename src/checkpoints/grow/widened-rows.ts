import { growthIndices, unitPositions } from "../../graph/layout.ts";
import type { WidthPart } from "../../growth/plan/width.ts";
import { Random } from "../../tensor/random.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Entries } from "../folder/reals.ts";
import type { EntryFill } from "./entry-fill.ts";
import { copyStretches, type Rows, rowCount, rowLength, type Stretch, stretchesOf } from "./rows.ts";

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

/** A position of the axis that is filled, and which unit it is a place of. */
interface Place {
  readonly position: number;
  readonly unit: number;
  readonly place: number;
}

/** Where the entries of one position begin in a window of rows: pieces of `inner` entries, `step` apart. */
interface Pieces {
  readonly start: number;
  readonly step: number;
  readonly count: number;
  /** Number of the first piece among all of the position's. */
  readonly first: number;
}

/** Entries that are drawn at a time. */
const batch = 4096;

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
  /** What is copied along a later axis, and what is filled then: for each place of a unit that draws, its positions. */
  readonly #stretches: readonly Stretch[];
  readonly #filled: readonly (readonly Place[])[];
  readonly #draws = new Map<number, Random>();
  readonly #drawn = new Float64Array(batch);
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
    const later = axis > 0;
    this.#stretches = later ? stretchesOf(this.#indices.length, (position) => this.#originOf(position)) : [];
    this.#filled = later ? this.#places() : [];
  }

  get holding() {
    return this.#source.holding;
  }

  rows = (from: number, count: number): Entries =>
    this.#widening.edit.axis === 0 ? this.#ofFirstAxis(from, count) : this.#ofLaterAxis(from, count);

  storedRow = (row: number): number => {
    const { axis, fill } = this.#widening.edit;
    const old = axis === 0 && fill !== "part" ? this.#originOf(row) : -1;
    return old < 0 ? -1 : (this.#source.storedRow?.(old) ?? -1);
  };

  #ofFirstAxis(from: number, count: number): Entries {
    const length = rowLength(this.#source);
    const values = this.holding.make(count * length);
    for (let at = 0; at < count; ) {
      const old = this.#originOf(from + at);
      let run = 1;
      if (old >= 0) {
        while (at + run < count && this.#originOf(from + at + run) === old + run) run++;
        values.set(this.#source.rows(old, run), at * length);
      }
      for (let next = at; next < at + run; next++) {
        const place = this.#placeOf(from + next);
        if (this.#touches(place)) {
          this.#fill(values, [place], () => ({ start: next * length, step: 0, count: 1, first: 0 }));
        }
      }
      at += run;
    }
    return values;
  }

  #ofLaterAxis(from: number, count: number): Entries {
    const [inner, grown] = [this.#inner, this.#indices.length];
    const size = this.#source.dims[this.#widening.edit.axis] as number;
    const blocks = count * this.#outer;
    const values = this.holding.make(blocks * grown * inner);
    const sizes = [size, grown] as const;
    copyStretches(this.#source.rows(from, count), values, this.#stretches, { blocks, inner, sizes });
    for (const places of this.#filled) {
      this.#fill(values, places, (position) => ({
        start: position * inner,
        step: grown * inner,
        count: blocks,
        first: from * this.#outer,
      }));
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

  #placeOf(position: number): Place {
    return {
      position,
      unit: this.#unitAt[position] as number,
      place: this.#placeAt[position] as number,
    };
  }

  #touches({ position, unit }: Place): boolean {
    const { edit, entry, offset } = this.#widening;
    if (edit.fill === "copy") return false;
    if (edit.fill === "part") return unit >= 0;
    const isNew = (this.#indices[position] as number) < 0;
    // Zeros are there already.
    return isNew && !(entry?.kind === "constant" && entry.value === offset);
  }

  /** What is filled along a later axis, together where it is filled with the same: copies share draws, and means. */
  #places(): readonly (readonly Place[])[] {
    const { edit, from } = this.#widening;
    const groups = new Map<number, Place[]>();
    for (let position = 0; position < this.#indices.length; position++) {
      const place = this.#placeOf(position);
      if (!this.#touches(place)) continue;
      const alike = edit.fill === "part" ? place.unit % from : edit.fill === "mean" ? 0 : place.unit;
      const key = alike * this.#perUnit + place.place;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [place]);
      else group.push(place);
    }
    return [...groups.values()];
  }

  /** Writes what stands at positions that are filled alike. */
  #fill(values: Entries, places: readonly Place[], piecesOf: (position: number) => Pieces): void {
    const { edit, entry, from, to, offset } = this.#widening;
    const [{ position, unit, place }] = places as [Place];
    const { stored } = this.holding;
    const pieces = piecesOf(position);
    const first = (place * this.#blocks + pieces.first) * this.#inner;
    if (edit.fill === "part") {
      const copies = to / from;
      const draws = this.#drawsOf(unit % from, first);
      const owned = places.map((one) => ({
        own: Math.floor(one.unit / from),
        start: piecesOf(one.position).start - pieces.start,
      }));
      this.#each(
        pieces,
        (drawn) => draws.fillUniform(drawn),
        (at, drawn) => {
          const owner = Math.floor(drawn * copies);
          for (const { own, start } of owned) if (own !== owner) values[at + start] = 0;
        },
      );
    } else if (edit.fill === "mean") this.#fillMeans(values, places, piecesOf);
    else if (entry?.kind === "constant") {
      const value = stored(entry.value - offset);
      for (let piece = 0; piece < pieces.count; piece++) {
        const start = pieces.start + piece * pieces.step;
        values.fill(value, start, start + this.#inner);
      }
    } else if (entry !== undefined) {
      const draws = this.#drawsOf(unit, first * 2);
      const deviation = entry.deviation(this.#perUnit * this.#blocks * this.#inner, to);
      this.#each(
        pieces,
        (drawn) => draws.fillNormal(drawn),
        (at, drawn) => {
          values[at] = stored(deviation * drawn - offset);
        },
      );
    }
  }

  /** Draws in batches, and visits where each draw belongs. */
  #each(
    { start, step, count }: Pieces,
    draw: (into: Float64Array) => void,
    visit: (at: number, drawn: number) => void,
  ): void {
    const inner = this.#inner;
    const total = count * inner;
    for (let done = 0, offset = 0, from = start; done < total; ) {
      const some = Math.min(batch, total - done);
      const drawn = this.#drawn.subarray(0, some);
      draw(drawn);
      for (let index = 0; index < some; index++) {
        visit(from + offset, drawn[index] as number);
        if (++offset === inner) {
          offset = 0;
          from += step;
        }
      }
      done += some;
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

  #fillMeans(values: Entries, places: readonly Place[], piecesOf: (position: number) => Pieces): void {
    const [{ place }] = places as [Place];
    const inner = this.#inner;
    const { from, edit } = this.#widening;
    if (edit.axis === 0) {
      const means = this.#meansOfUnits().subarray(place * inner, (place + 1) * inner);
      for (const { position } of places) values.set(means, piecesOf(position).start);
      return;
    }
    // All old units are in the window.
    const olds: number[] = [];
    for (let other = 0; other < this.#indices.length; other++) {
      const isOld = (this.#indices[other] as number) >= 0;
      if (isOld && (this.#unitAt[other] as number) >= 0 && this.#placeAt[other] === place)
        olds.push(other * inner);
    }
    const { count, step } = piecesOf(0);
    const targets = places.map(({ position }) => position * inner);
    for (let block = 0; block < count * step; block += step) {
      for (let at = block; at < block + inner; at++) {
        let sum = 0;
        for (const old of olds) sum += values[at + old] as number;
        for (const target of targets) values[at + target] = sum / from;
      }
    }
  }

  /** Means over old units along the first axis, which takes a pass over all of them. */
  #meansOfUnits(): Float64Array {
    if (this.#means !== undefined) return this.#means;
    const length = rowLength(this.#source);
    const placeOfRow = new Int32Array(rowCount(this.#source)).fill(-1);
    this.#oldPositions.forEach((row, at) => {
      placeOfRow[row] = at % this.#perUnit;
    });
    const sums = new Float64Array(this.#perUnit * length);
    const each = Math.max(1, Math.floor(2 ** 18 / length));
    for (let row = 0; row < placeOfRow.length; row += each) {
      const count = Math.min(each, placeOfRow.length - row);
      const values = this.#source.rows(row, count);
      for (let next = 0; next < count; next++) {
        const place = placeOfRow[row + next] as number;
        if (place < 0) continue;
        for (let at = 0; at < length; at++) {
          sums[place * length + at] =
            (sums[place * length + at] as number) + (values[next * length + at] as number);
        }
      }
    }
    this.#means = sums.map((sum) => sum / this.#widening.from);
    return this.#means;
  }
}
