import type { Model } from "../../graph/model.ts";
import { opsetOf } from "../../ops/rewrites/upgrade.ts";
import { IndexedGraph, type Patch } from "../plan/indexed-graph.ts";
import type { Width } from "../plan/width.ts";
import { AxisMap, axisKey, type Seed } from "./axis-map.ts";
import { widthsFrom } from "./cuts.ts";

/** What was found from one output axis of a weight. */
interface Finding {
  readonly seed: Seed;
  readonly widths: readonly Width[];
  /** Keys of the axes and cuts that it noted. */
  readonly notes: readonly string[];
  /** The findings whose notes it used. */
  readonly sources: ReadonlySet<number>;
  /** The graph positions that it depends on, and how many changes there had been. */
  readonly positions: Int32Array;
  readonly changes: number;
}

/**
 * A model whose widths change size one after another. They are found once; after a change only the affected ones are
 * examined again, and only when they are asked for.
 */
export class Analysis {
  readonly flows: AxisMap;
  readonly #model: Model;
  /** How many changes there had been when a position last changed. */
  readonly #changed: Int32Array;
  /** Axes and cuts that have been seen, whether they can grow, and which finding noted it. */
  readonly #known = new Map<string, { readonly grows: boolean; readonly finding: number }>();
  readonly #findings: Finding[] = [];
  /** Which finding a width belongs to, and what it is called there. */
  readonly #places = new Map<string, { readonly finding: number; readonly width: number }>();
  #changes = 0;

  constructor(model: Model) {
    this.#model = model;
    this.flows = new AxisMap(new IndexedGraph(model.graph), opsetOf(model));
    this.#changed = new Int32Array(this.flows.graph.length);
    this.#findAll();
  }

  /** The model as it is now. */
  get model(): Model {
    return this.#changes === 0 ? this.#model : { ...this.#model, graph: this.flows.graph.toGraph() };
  }

  /** Every width as it is now, in the order in which their producers run. */
  get widths(): readonly Width[] {
    if (this.#findings.some((finding) => this.#isStale(finding))) this.#findAll();
    return [...this.#places.keys()].map((id) => this.#named(id) as Width);
  }

  /** The width called `id` as it is now. */
  find(id: string): Width | undefined {
    const place = this.#places.get(id);
    if (place !== undefined && !this.#refresh(place.finding)) this.#findAll();
    return this.#named(id);
  }

  /** Changes the model. */
  apply(patch: Patch): void {
    this.#changes++;
    for (const position of this.flows.apply(patch)) this.#changed[position] = this.#changes;
  }

  #named(id: string): Width | undefined {
    const place = this.#places.get(id);
    const width = place && this.#findings[place.finding]?.widths[place.width];
    return width && (width.id === id ? width : { ...width, id });
  }

  #findAll(): void {
    this.#known.clear();
    this.#places.clear();
    this.#findings.length = 0;
    const counts = new Map<string, number>();
    for (const seed of this.flows.seeds) {
      if (this.#known.has(axisKey(seed.value, seed.axis))) continue;
      const finding = this.#findings.length;
      const found = this.#findFrom(seed, finding);
      this.#findings.push(found);
      for (const [width, { id }] of found.widths.entries()) {
        const count = (counts.get(id) ?? 0) + 1;
        counts.set(id, count);
        this.#places.set(count === 1 ? id : `${id}#${count}`, { finding, width });
      }
    }
  }

  /** Examines a seed again if needed. False if it has other widths now, which may rename those of other seeds. */
  #refresh(index: number): boolean {
    const before = this.#findings[index] as Finding;
    for (const source of before.sources) if (!this.#refresh(source)) return false;
    if (!this.#isStale(before)) return true;
    for (const note of before.notes) this.#known.delete(note);
    const after = this.#findFrom(before.seed, index);
    this.#findings[index] = after;
    return (
      after.widths.length === before.widths.length &&
      after.widths.every(({ id }, at) => id === before.widths[at]?.id)
    );
  }

  #findFrom(seed: Seed, index: number): Finding {
    const notes: string[] = [];
    const sources = new Set<number>();
    const known = {
      get: (key: string) => {
        const note = this.#known.get(key);
        // Only earlier ones, so that no two wait for each other.
        if (note !== undefined && note.finding < index) sources.add(note.finding);
        return note?.grows;
      },
      set: (key: string, grows: boolean) => {
        const note = this.#known.get(key);
        if (note === undefined) notes.push(key);
        this.#known.set(key, { grows, finding: note?.finding ?? index });
      },
    };
    const { result: widths, positions } = this.flows.watch(() => widthsFrom(this.flows, seed, known));
    return { seed, widths, notes, sources, positions: Int32Array.from(positions), changes: this.#changes };
  }

  #isStale({ positions, changes }: Finding): boolean {
    return positions.some((position) => (this.#changed[position] as number) > changes);
  }
}
